import { afterAll, afterEach, beforeAll } from 'vitest';
import { type Hotdesk, type HotdeskOptions, startHotdesk } from './hotdesk.ts';

/** One Hotdesk for all tests of a file, tidied up between them. Call the result inside a test to get it. */
export function useHotdesk(options: HotdeskOptions = {}): () => Hotdesk {
  let hotdesk: Hotdesk | undefined;
  beforeAll(async () => {
    hotdesk = await startHotdesk(options);
  });
  afterEach(() => hotdesk?.tidy());
  afterAll(() => hotdesk?.stop());
  return () => {
    if (!hotdesk) throw new Error('Hotdesk has not started');
    return hotdesk;
  };
}
