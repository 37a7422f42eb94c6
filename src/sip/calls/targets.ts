import { isIP } from 'node:net';
import { type Binding, flowsByPhone } from '../../domain/binding.ts';
import type { Host } from '../../domain/directory.ts';
import type { Identity } from '../../domain/route.ts';
import type { View } from '../../domain/view.ts';
import type { Trunk } from '../ports.ts';
import type { Headers } from '../srf.ts';
import { encodeUser, hostOf, nameAddr, withoutUser, withUser } from '../uri.ts';
import type { Target } from './fork.ts';

/** RFC 3323 4.1.1.3. */
const ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>';

/** Who a leg says is calling, and whom it was meant for. */
export interface Presentation {
  readonly identity: Identity;
  readonly domain: string;
  /** Number or extension the caller wanted. */
  readonly called: string;
  /** Further headers: Privacy, Priority, … */
  readonly extra?: Headers | undefined;
}

type Hosts = readonly Pick<Host, 'id'>[];

/** One target per binding of these hosts, sent down the flow the phone registered over: for what may come twice. */
export function phoneTargets(hosts: Hosts, view: View, show: Presentation): Target[] {
  return hosts.flatMap(({ id }) => view.bindingsOf(id).map((binding) => phoneTarget(id, binding, show)));
}

/** One target per phone at these hosts: for calls. Of several flows of one phone the others are for when the first fails. */
export function callTargets(hosts: Hosts, view: View, show: Presentation): Target[] {
  return hosts.flatMap(({ id }) =>
    flowsByPhone(view.bindingsOf(id)).map((flows) =>
      flows
        .map((binding) => phoneTarget(id, binding, show))
        .reduceRight((otherFlow, target) => ({ ...target, otherFlow })),
    ),
  );
}

function phoneTarget(host: string, { contact, flow, path }: Binding, show: Presentation): Target {
  return {
    uri: contact,
    proxy: path[0] === undefined ? flowUri(flow) : path[0].replace(/^<|>$/g, ''),
    headers: identityHeaders(show, { calledAt: show.domain, trusted: false }),
    party: { kind: 'host', host },
    browser: flow.protocol === 'ws' || flow.protocol === 'wss',
  };
}

/** A number on a trunk. */
export function trunkTarget(trunk: Trunk, number: string, show: Presentation): Target {
  return {
    uri: withUser(trunk.uri, number),
    headers: identityHeaders({ ...show, called: number }, { calledAt: hostOf(trunk.uri), trusted: true }),
    auth: trunk.credentials,
    answerWithinMs: trunk.responseTimeout * 1000,
    party: { kind: 'trunk', trunk: trunk.name },
  };
}

/** RFC 5031; which of the emergency services it is, is for the one who answers to ask. */
const SOS = 'urn:service:sos';

/** An emergency number on a trunk, as that trunk wants it. The location goes where it is wanted and known. */
export function emergencyTarget(
  trunk: Trunk,
  number: string,
  show: Presentation & { readonly location?: Target['enclosed'] },
): Target {
  const plain = trunkTarget(trunk, number, show);
  const wanted = trunk.emergencyCalls;
  if (!wanted) return plain;
  const { dial, pidfLo, resourcePriority } = wanted;
  const priority = resourcePriority === undefined ? {} : { 'Resource-Priority': resourcePriority };
  const headers = { ...wanted.headers, ...plain.headers, ...priority };
  return {
    ...plain,
    headers,
    ...(pidfLo ? { enclosed: show.location } : {}),
    ...(dial === 'urn'
      ? {
          ...{ uri: SOS, proxy: withoutUser(trunk.uri), headers: { ...headers, To: `<${SOS}>` } },
          plainly: { uri: plain.uri, headers },
        }
      : {}),
  };
}

/**
 * From, To, Contact and P-Asserted-Identity (RFC 3325) all show the same caller; `@localhost` becomes our address. Who
 * asked not to be named (RFC 3323) is named to trunks alone, which need it and pass the wish on.
 */
function identityHeaders(
  { identity, domain, called, extra }: Presentation,
  to: { calledAt: string; trusted: boolean },
): Headers {
  const unknown = identity.number === 'anonymous';
  const withheld = /\b(?:id|user|header)\b/i.test(extra?.Privacy ?? '');
  const user = unknown || withheld ? 'anonymous' : encodeUser(identity.number);
  const named = nameAddr(identity.name, `sip:${encodeUser(identity.number)}@${domain}`);
  const asserted = !unknown && (to.trusted || !withheld);
  return {
    From: withheld ? ANONYMOUS : named,
    To: `<sip:${encodeUser(called)}@${to.calledAt}>`,
    Contact: `<sip:${user}@localhost>`,
    ...(asserted ? { 'P-Asserted-Identity': named } : {}),
    ...extra,
  };
}

/** Where a target signals from, if its address says so: a name would have to be looked up. */
export function addressOf({ uri, proxy }: Pick<Target, 'uri' | 'proxy'>): string | undefined {
  const host = hostOf(proxy ?? uri).replace(/^\[|\]$/g, '');
  return isIP(host) === 0 ? undefined : host;
}

function flowUri(flow: { protocol: string; address: string; port: number }): string {
  const host = flow.address.includes(':') ? `[${flow.address}]` : flow.address;
  return `sip:${host}:${flow.port};transport=${flow.protocol}`;
}
