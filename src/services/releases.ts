import type { Association } from '../domain/association.ts';
import { isRefusal, type Refusal } from '../domain/reasons.ts';
import type { Store } from '../store/store.ts';
import type { Log, Random } from './ports.ts';
import { whileStoreAnswers } from './while-store-answers.ts';

export interface ReleaseDependencies {
  readonly store: Pick<Store, 'end'>;
  readonly random: Random;
  readonly log: Log;
}

interface ReleaseOptions {
  readonly actor: string;
  /** Generations that are ended by now; added to. */
  readonly ended?: Set<number>;
}

/** Logs people out whose rules are about to change. Refused with storeUnavailable; who was released by then stays so. */
export async function releaseAll(
  associations: readonly Association[],
  { store, random, log }: ReleaseDependencies,
  { actor, ended }: ReleaseOptions,
): Promise<Refusal | undefined> {
  for (const { host, guest, generation } of associations) {
    const opId = random.uuid();
    const command = { host, generation, reason: 'released', actor, opId } as const;
    const reply = await whileStoreAnswers(() => store.end(command));
    if (isRefusal(reply)) return reply;
    ended?.add(generation);
    if (reply.outcome === 'ended')
      log.info({ host, guest, generation, actor }, 'released for a change of the rules');
  }
  return undefined;
}
