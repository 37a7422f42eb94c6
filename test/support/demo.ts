/** The people and phones of `config/demo.yaml`, by name. */

export interface Person {
  readonly extension: string;
  readonly pin: string;
}

export const PEOPLE = {
  first: { extension: '1001', pin: '583914' },
  second: { extension: '1002', pin: '274961' },
  leeds: { extension: '1003', pin: '690372' },
  unlicensed: { extension: '1004', pin: '815263' },
} as const satisfies Record<string, Person>;

export const PHONES = {
  reception: 'cp0004f2000001',
  window: 'cp0004f2000002',
  leeds: 'cp0004f2000003',
  /** The own phone of extension 1002, and a host for guests. */
  own: 'u1002',
  /** The ordinary phone on the desk of extension 1003: nobody logs in there. */
  ownLeeds: 'u1003',
} as const;

/** Numbers of the demo that are nobody's. */
export const SERVICES = { voicePortal: '8000', voicemail: '8001' } as const;

/** SIP password of a demo phone. */
export function passwordOf(host: string): string {
  return `demo-${host}`;
}
