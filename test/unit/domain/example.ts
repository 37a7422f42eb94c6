import type { Association } from '../../../src/domain/association.ts';
import type { Binding } from '../../../src/domain/binding.ts';
import type { Company, Directory, Host, Site, User } from '../../../src/domain/directory.ts';
import { DirectoryTable } from '../../../src/domain/directory-table.ts';
import type { EmergencyRecord } from '../../../src/domain/emergency-record.ts';
import type { NumberPlan, View } from '../../../src/domain/view.ts';

/** A small company for unit tests; every maker takes what differs. */

export const NOW = 1_700_000_000_000;

export function company(differs: Partial<Company> = {}): Company {
  return {
    id: 'acme',
    name: 'Acme',
    country: 'GB',
    featureAccessCodes: { logIn: '*90', logOut: '*91' },
    associationLimit: 12,
    hotDeskLicences: 10,
    occupiedDeskPolicy: 'deny',
    secondDeskPolicy: 'move',
    ringOwnPhone: { commonArea: false, user: false },
    addOnLicences: { host: 10, guest: 10 },
    expiryWarningMinutes: 5,
    passcodeLength: { min: 6, max: 12 },
    ...differs,
  };
}

export function site(id: string, differs: Partial<Site> = {}): Site {
  return {
    id,
    name: id,
    timeZone: 'Europe/London',
    outsideLinePrefix: '',
    emergencyNumbers: [],
    callbackNumber: '+442079460100',
    emergencyTestNumbers: [],
    callbackMinutes: 60,
    emergencyContacts: { emails: [], phones: [] },
    ...differs,
  };
}

export function user(extension: string, differs: Partial<User> = {}): User {
  const number = `+44207946${extension.padStart(4, '0').slice(-4)}`;
  return {
    extension,
    name: `Person ${extension}`,
    site: 'london',
    numbers: [number],
    callerId: number,
    plan: 'connect',
    hotDeskLicence: true,
    addOns: ['guest', 'host'],
    guestEnabled: true,
    passcodeHash: '',
    passcodeOneTime: false,
    hotelingKeys: false,
    ...differs,
  };
}

export function host(id: string, differs: Partial<Host> = {}): Host {
  return {
    id,
    kind: 'commonArea',
    nickname: id,
    site: 'london',
    model: 'VVX 411',
    expansionModule: false,
    enabled: true,
    accessLevel: 'company',
    digest: { md5: '0'.repeat(32), sha256: '0'.repeat(64) },
    address: {
      customerName: 'Acme',
      houseNumber: '10',
      street: 'Example Street',
      city: 'London',
      postcode: 'EC1A 1AA',
      country: 'GB',
      room: id,
    },
    ...differs,
  };
}

/** Desks d1–d3 (d3 in Leeds, where 9 gets an outside line), 1002's own phone u1002, people 1001–1003. */
export function directory(differs: {
  company?: Partial<Company>;
  users?: readonly User[];
  hosts?: readonly Host[];
}): Directory {
  const sites = [
    site('london'),
    site('leeds', { outsideLinePrefix: '9', callbackNumber: '+441134960100', outboundTrunk: 'north' }),
  ];
  const users = differs.users ?? [user('1001'), user('1002'), user('1003', { site: 'leeds' })];
  const hosts = differs.hosts ?? [
    host('d1', { callbackNumber: '+442079460111' }),
    host('d2'),
    host('d3', { site: 'leeds' }),
    host('u1002', { kind: 'user', owner: '1002' }),
  ];
  const table = new DirectoryTable();
  table.put({ kind: 'company', value: company(differs.company) });
  for (const value of sites) table.put({ kind: 'site', value });
  for (const value of users) table.put({ kind: 'user', value });
  for (const value of hosts) table.put({ kind: 'host', value });
  return table;
}

export function association(at: string, guest: string, differs: Partial<Association> = {}): Association {
  return {
    ...{ host: at, guest, site: 'london', generation: 1, startedAt: NOW },
    ...{ expiresAt: 'never', idleLimitMs: 'never' },
    ...differs,
  };
}

/** An emergency call from this desk just now, open for an hour. */
export function emergency(at: string, differs: Partial<EmergencyRecord> = {}): EmergencyRecord {
  return {
    ...{ id: `call-${at}`, number: '999', host: at, nickname: at, site: 'london' },
    ...{ callbackNumber: '+442079460100', address: undefined, addressUnverified: false, guest: undefined },
    ...{ at: NOW, callbackUntil: NOW + 3_600_000 },
    ...differs,
  };
}

export function binding(contact: string, differs: Partial<Binding> = {}): Binding {
  return {
    contact,
    callId: 'call-1',
    cseq: 1,
    expiresAt: NOW + 600_000,
    q: 1,
    flow: { protocol: 'udp', address: '192.0.2.10', port: 5060 },
    path: [],
    userAgent: 'test',
    ...differs,
  };
}

export function viewOf(facts: {
  directory?: Directory | undefined;
  knowledge?: View['knowledge'];
  seats?: Readonly<Record<string, string>>;
  bindings?: Readonly<Record<string, readonly Binding[]>>;
  /** Open emergency records, newest first. */
  emergencies?: readonly EmergencyRecord[];
  /** What is left on the disk when there is no directory. */
  onDisk?: Directory | undefined;
}): View {
  const seats = Object.entries(facts.seats ?? {}).map(([at, guest]) => association(at, guest));
  return {
    knowledge: facts.knowledge ?? 'fresh',
    directory: facts.directory,
    emergencyDirectory: facts.directory ?? facts.onDisk,
    emergencyRecords: (number) =>
      (facts.emergencies ?? []).filter(({ callbackNumber }) => callbackNumber === number),
    associationAt: (id) => seats.find((seat) => seat.host === id),
    associationOf: (extension) => seats.find((seat) => seat.guest === extension),
    bindingsOf: (id) => facts.bindings?.[id] ?? [],
    hostByFlow: (address, port) =>
      [...((facts.directory ?? facts.onDisk)?.hosts.keys() ?? [])].find((id) =>
        facts.bindings?.[id]?.some(({ flow }) => flow.address === address && flow.port === port),
      ),
  };
}

/** The United Kingdom in three lines. */
export const UK: NumberPlan = {
  isEmergency: (digits) => digits === '999' || digits === '112',
  toE164: (digits) => {
    if (/^\+44\d{10}$/.test(digits)) return digits;
    return /^0[1-9]\d{9}$/.test(digits) ? `+44${digits.slice(1)}` : undefined;
  },
  isShortNumber: (digits) => ['101', '111', '1471'].includes(digits),
};
