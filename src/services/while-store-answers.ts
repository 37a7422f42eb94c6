import type { Refusal } from '../domain/reasons.ts';
import { StoreUnavailable } from '../store/store.ts';

/** A store that does not answer is a "no" like any other: storeUnavailable, with what it was in its detail. */
export async function whileStoreAnswers<T>(work: () => Promise<T | Refusal>): Promise<T | Refusal> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StoreUnavailable) return { refused: 'storeUnavailable', detail: error.message };
    throw error;
  }
}
