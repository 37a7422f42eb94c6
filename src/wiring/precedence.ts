import { isOpenCallback } from '../domain/callback.ts';
import { normaliseDialled, withoutPrefix } from '../domain/dialled.ts';
import type { Directory } from '../domain/directory.ts';
import { isEmergencyCall } from '../domain/emergency.ts';
import type { NumberPlan } from '../domain/view.ts';
import type { LocalView } from '../services/local-view.ts';
import type { PhoneNetworks } from '../services/phone-networks.ts';
import { addressMatcher } from '../sip/identify.ts';
import type { Trunk } from '../sip/ports.ts';
import type { FirstLook, SipMessage, Urgency } from '../sip-engine/engine.ts';

/** What the engine asks about requests before anybody has decided anything. */
export interface Precedence {
  /** Handled before whatever else came: emergency calls from where phones are, and all that emergency trunks send. */
  urgencyOf(look: FirstLook): Urgency;
  /** Passes full tables. */
  isExempt(request: SipMessage): boolean;
}

const MAX_REMEMBERED = 10_000;
const URGENT_METHODS: ReadonlySet<string> = new Set(['INVITE', 'CANCEL', 'ACK']);

interface Needs {
  readonly view: LocalView;
  readonly numberPlan: NumberPlan;
  readonly networks: PhoneNetworks;
  readonly trunks: readonly Trunk[];
}

/**
 * Which requests must not wait: decided from memory in microseconds, ten thousand times a second if need be. A stranger's
 * flood of emergency calls is not among them.
 */
export function createPrecedence({ view, numberPlan, networks, trunks }: Needs): Precedence {
  const matcher = (of: readonly Trunk[]): ((address: string) => boolean) =>
    remembered(addressMatcher(of.flatMap(({ addresses }) => addresses)));
  const isTrunk = matcher(trunks);
  const isEmergencyTrunk = matcher(trunks.filter(({ emergency }) => emergency));
  const isEmergency = emergencyNumbers(view, numberPlan);
  const isFromPhones = (address: string): boolean => networks.includes(address) || isTrunk(address);
  return {
    urgencyOf({ method, uri, address, port }) {
      if (isEmergencyTrunk(address)) return 'proven';
      if (!URGENT_METHODS.has(method)) return 'none';
      if (isTrunk(address) && (isEmergency(uri) || isOpenCallback(uri, view, numberPlan))) return 'proven';
      if (!isEmergency(uri)) return 'none';
      if (networks.hasPhoneAt({ address, port })) return 'proven';
      return networks.includes(address) ? 'claimed' : 'none';
    },
    isExempt({ method, uri, to, topVia }) {
      if (method !== 'INVITE') return false;
      // What we send ourselves has no source, and was decided already.
      const address = topVia?.params.get('received');
      if (isEmergency(uri)) return address === undefined || isFromPhones(address);
      // A call back has its number in To on its way to the phone.
      return [uri, to?.uri ?? ''].some((each) => isOpenCallback(each, view, numberPlan));
    },
  };
}

/** Node's test of an address takes microseconds and garbage; a flood comes from few. Bounded: emptied when full. */
function remembered(test: (address: string) => boolean): (address: string) => boolean {
  const known = new Map<string, boolean>();
  return (address) => {
    const before = known.get(address);
    if (before !== undefined) return before;
    if (known.size >= MAX_REMEMBERED) known.clear();
    const found = test(address);
    known.set(address, found);
    return found;
  };
}

/**
 * Whether any site calls this an emergency: perhaps not the caller's, which is not known yet. What all sites add is put
 * together once for each version of the directory.
 */
function emergencyNumbers(view: LocalView, plan: NumberPlan): (uri: string) => boolean {
  let of: Directory | undefined;
  let version = -1;
  let added: ReadonlySet<string> = new Set();
  let prefixes: readonly string[] = [];
  const refresh = (): void => {
    const { emergencyDirectory: directory, directoryVersion } = view;
    if (directory === of && directoryVersion === version) return;
    of = directory;
    version = directoryVersion;
    const sites = [...(directory?.sites.values() ?? [])];
    added = new Set(sites.flatMap(({ emergencyNumbers: numbers }) => numbers));
    prefixes = [...new Set(sites.map(({ outsideLinePrefix }) => outsideLinePrefix))];
  };
  const isOne = (digits: string): boolean =>
    /^\d{2,8}$/.test(digits) && (plan.isEmergency(digits) || added.has(digits));
  return (uri) => {
    if (isEmergencyCall(uri, { plan }) !== undefined) return true;
    refresh();
    const dialled = normaliseDialled(uri);
    return [dialled, ...prefixes.map((prefix) => withoutPrefix(dialled, prefix) ?? '')].some(isOne);
  };
}
