import { randomInt, randomUUID } from 'node:crypto';
import { keptSecret } from '../data-folder.ts';
import { DirectoryService } from '../services/directory-service.ts';
import { Hosts } from '../services/hosts.ts';
import { HotDesk } from '../services/hot-desk.ts';
import type { LocalView } from '../services/local-view.ts';
import { Locations } from '../services/locations.ts';
import { Orphans } from '../services/orphans.ts';
import { PasscodeService } from '../services/passcode-service.ts';
import { Passcodes } from '../services/passcodes.ts';
import { PendingEnds } from '../services/pending-ends.ts';
import type { Peppers } from '../services/peppers.ts';
import { createSealing, type Sealing } from '../services/sealing.ts';
import type { Store } from '../store/store.ts';
import type { Running } from './running.ts';

export interface Services {
  readonly directory: DirectoryService;
  readonly hosts: Hosts;
  /** Told where phones register from. */
  readonly locations: Locations;
  readonly hotDesk: HotDesk;
  readonly passcodes: PasscodeService;
  readonly sealing: Sealing;
}

/** What can be done, above the store and the view. */
export async function createServices(
  running: Running,
  { store, view }: { readonly store: Store; readonly view: LocalView },
): Promise<Services> {
  const { config, clock, log } = running;
  const peppers = await peppersOf(running);
  const passcodes = new Passcodes(peppers);
  const random = { uuid: randomUUID };
  const { company, sip } = config;
  const directory = new DirectoryService({ store, view, passcodes, realm: sip.domain, company, clock, log });
  const draw = (limit: number): number => randomInt(limit);
  const passcodeService = new PasscodeService({ directory, store, view, passcodes, randomInt: draw, log });
  const storeNow = (): number => view.now();
  const pendingEnds = await running.up(new PendingEnds({ store, view, timers: clock, log }));
  await running.up(new Orphans({ store, view, timers: clock, random, log }));
  const hotDesk = new HotDesk({
    ...{ store, view, passcodes, passcodeService, pendingEnds, random, log, storeNow },
  });
  const actor = `node:${running.node}`;
  const locations = await running.up(new Locations({ store, view, directory, timers: clock, log, actor }));
  const hosts = new Hosts({ directory, log });
  const sealing = createSealing(peppers);
  return { directory, hosts, locations, hotDesk, passcodes: passcodeService, sealing };
}

async function peppersOf({ config, problem }: Running): Promise<Peppers> {
  const { data, pepper, pepperId, olderPeppers } = config;
  const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');
  return {
    keyId: pepperId,
    pepper: bytes(pepper ?? (await keptSecret(data, 'pepper', problem))),
    olderPeppers: new Map(olderPeppers.map((older) => [older.id, bytes(older.pepper)])),
  };
}
