import { fileURLToPath } from 'node:url';
import { expectsBrowsers } from '../config-web-phone.ts';
import { createMedia } from '../media/create-media.ts';
import type { MediaPort } from '../media/media.ts';
import type { Running } from './running.ts';

const PROMPTS = fileURLToPath(new URL('../../config/prompts', import.meta.url));

/** Prompts and digits. */
export function startMedia({ config, problem, up }: Running): Promise<MediaPort> {
  const { externalAddress, prompts: overlay, language, silentAfter, webrtc, ...rest } = config.media;
  return up(
    createMedia({
      ...rest,
      ...(externalAddress === undefined ? {} : { externalAddress }),
      prompts: { shipped: PROMPTS, language, ...(overlay === undefined ? {} : { overlay }) },
      webrtc: webrtc ?? (expectsBrowsers(config) ? 'on' : 'off'),
      silentAfterMs: silentAfter * 1000,
      onProblem: problem,
    }),
  );
}
