import type { Host } from '../../domain/directory.ts';
import type { Identity } from '../../domain/route.ts';
import type { View } from '../../domain/view.ts';
import type { Trunk } from '../ports.ts';
import type { Headers } from '../srf.ts';
import { encodeUser, hostOf, nameAddr, withUser } from '../uri.ts';
import type { Target } from './fork.ts';

/** Who a leg says is calling, and whom it was meant for. */
export interface Presentation {
  readonly identity: Identity;
  readonly domain: string;
  /** Number or extension the caller wanted. */
  readonly called: string;
  /** Further headers: Privacy, Priority, … */
  readonly extra?: Headers | undefined;
}

/** One target per binding of these hosts, sent down the flow the phone registered over. */
export function phoneTargets(hosts: readonly Host[], view: View, show: Presentation): Target[] {
  return hosts.flatMap((host) =>
    view.bindingsOf(host.id).map(
      ({ contact, flow, path }): Target => ({
        uri: contact,
        proxy: path[0] === undefined ? flowUri(flow) : path[0].replace(/^<|>$/g, ''),
        headers: identityHeaders(show, show.domain),
        party: { kind: 'host', host: host.id },
      }),
    ),
  );
}

/** A number on a trunk. */
export function trunkTarget(trunk: Trunk, number: string, show: Presentation): Target {
  return {
    uri: withUser(trunk.uri, number),
    headers: identityHeaders({ ...show, called: number }, hostOf(trunk.uri)),
    auth: trunk.credentials,
    answerWithinMs: trunk.responseTimeout * 1000,
    party: { kind: 'trunk', trunk: trunk.name },
  };
}

/** From, To, Contact and P-Asserted-Identity (RFC 3325) all show the same caller; `@localhost` becomes our address. */
function identityHeaders({ identity, domain, called, extra }: Presentation, calledDomain: string): Headers {
  const user = encodeUser(identity.number);
  const shown = nameAddr(identity.name, `sip:${user}@${domain}`);
  return {
    From: shown,
    To: `<sip:${encodeUser(called)}@${calledDomain}>`,
    Contact: `<sip:${user}@localhost>`,
    'P-Asserted-Identity': shown,
    ...extra,
  };
}

function flowUri(flow: { protocol: string; address: string; port: number }): string {
  const host = flow.address.includes(':') ? `[${flow.address}]` : flow.address;
  return `sip:${host}:${flow.port};transport=${flow.protocol}`;
}
