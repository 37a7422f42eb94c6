import { randomUUID } from 'node:crypto';
import { DiskSnapshot } from '../services/disk-snapshot.ts';
import { EmergencyDesk } from '../services/emergency-desk.ts';
import { createEmergencyNotices } from '../services/emergency-notices/create-emergency-notices.ts';
import type { EmergencyNotices } from '../services/emergency-notices/emergency-notices.ts';
import type { LocalView } from '../services/local-view.ts';
import { PhoneNetworks } from '../services/phone-networks.ts';
import type { TextPort } from '../services/ports.ts';
import type { Registrar } from '../services/registrar.ts';
import type { Store } from '../store/store.ts';
import type { Running } from './running.ts';

/** What emergency calls go by before the store has said a word: this node's own disk, and where phones are. */
export async function startEmergencyMemory(
  { config, log, clock, up }: Running,
  view: LocalView,
): Promise<PhoneNetworks> {
  const configured = config.sip.phoneNetworks;
  const networks = new PhoneNetworks({ view, clock, log, configured });
  const parts = { view, networks, clock, log, folder: config.data, company: config.company };
  const snapshot = new DiskSnapshot(parts);
  await snapshot.load();
  await up(networks);
  await up(snapshot);
  return networks;
}

/** Opens and follows the record of each emergency call. */
export function startEmergencyDesk(
  { clock, log, node, up }: Running,
  { store, view }: { readonly store: Store; readonly view: LocalView },
): Promise<EmergencyDesk> {
  return up(new EmergencyDesk({ store, view, timers: clock, random: { uuid: randomUUID }, log, node }));
}

/** Tells people of emergency calls: what the desk notes here, and what other nodes have noted in the store. */
export async function startEmergencyNotices(
  { config, log, clock: timers, up }: Running,
  parts: {
    readonly store: Store;
    readonly view: LocalView;
    readonly phones: TextPort;
    readonly desk: EmergencyDesk;
  },
): Promise<EmergencyNotices> {
  const { desk, ...needs } = parts;
  const { notices } = await up(createEmergencyNotices({ ...needs, timers, log, smtp: config.smtp }));
  desk.onStage((record, stage) => notices.tell(record, stage));
  return notices;
}

/** A registrar that tells where phones have proved themselves. */
export function tellingNetworks(
  registrar: Pick<Registrar, 'register'>,
  networks: PhoneNetworks,
): Pick<Registrar, 'register'> {
  return {
    async register(aor, request) {
      const answer = await registrar.register(aor, request);
      if ('status' in answer) return answer;
      const { address, port } = request.flow;
      const here = answer.set.bindings.filter(({ flow }) => flow.address === address && flow.port === port);
      networks.registered(request.flow, Math.max(0, ...here.map(({ expiresAt }) => expiresAt)));
      return answer;
    },
  };
}
