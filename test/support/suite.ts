import { afterAll, afterEach, beforeAll } from 'vitest';
import { type Hotdesk, type HotdeskOptions, startHotdesk } from './hotdesk.ts';

export interface SuiteOptions extends HotdeskOptions {
  /** False: the company has no voicemail, so that calls nobody answers end. */
  readonly voicemail?: boolean;
}

/** One Hotdesk for all tests of a file, tidied up between them. Call the result inside a test to get it. */
export function useHotdesk({ voicemail = true, ...options }: SuiteOptions = {}): () => Hotdesk {
  let hotdesk: Hotdesk | undefined;
  beforeAll(async () => {
    hotdesk = await startHotdesk(options);
    if (!voicemail) await removeVoicemail(hotdesk);
  });
  afterEach(() => hotdesk?.tidy());
  afterAll(() => hotdesk?.stop());
  return () => {
    if (!hotdesk) throw new Error('Hotdesk has not started');
    return hotdesk;
  };
}

async function removeVoicemail(hotdesk: Hotdesk): Promise<void> {
  const json = { voicemailNumber: null };
  const { status } = await hotdesk.api('/api/v1/company', { method: 'PATCH', json });
  if (status !== 200) throw new Error(`voicemail could not be removed: ${status}`);
}
