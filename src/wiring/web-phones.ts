import { isIP } from 'node:net';
import { isWebPhoneOn } from '../config-web-phone.ts';
import { createCompanyPlan } from '../services/company-plan.ts';
import type { LocalView } from '../services/local-view.ts';
import { WebPhones } from '../services/web-phones.ts';
import type { Running } from './running.ts';

interface Listening {
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
}

/** Phones in browsers, where they are switched on and have a WebSocket to connect to. */
export function createWebPhones(
  { config, problem }: Running,
  { view, sip }: { readonly view: LocalView; readonly sip: readonly Listening[] },
): WebPhones {
  const { enabled, url: configured } = config.webPhone;
  const url = isWebPhoneOn(config) ? (configured ?? socketOf(sip)) : undefined;
  if (enabled === 'always' && url === undefined)
    problem('the phone in the browser has no WebSocket to connect to: set webPhone.url');
  const { domain } = config.sip;
  return new WebPhones({ view, url, domain, plan: createCompanyPlan(view), demo: config.demo });
}

/** The first WebSocket a browser can be told of: no address of all interfaces. */
function socketOf(sip: readonly Listening[]): string | undefined {
  const found = sip.find(
    ({ protocol, host }) => /^wss?$/.test(protocol) && host !== '0.0.0.0' && host !== '::',
  );
  if (!found) return undefined;
  const host = isIP(found.host) === 6 ? `[${found.host}]` : found.host;
  return `${found.protocol}://${host}:${found.port}/`;
}
