import { LARGEST_RECORDING, type Store, StoreUnavailable } from '../store.ts';
import type { Link } from './connection.ts';
import type { Keys } from './keys.ts';

/** What people have said into their phones: a key each, which stays until it is removed. */
export function createRecordings(link: Link, keys: Keys): Pick<Store, 'keepRecording' | 'recording'> {
  return {
    async keepRecording(name, audio) {
      const key = keys.recording(name);
      if (audio && audio.byteLength > LARGEST_RECORDING)
        throw new TypeError(`A recording has at most ${LARGEST_RECORDING} bytes`);
      if (audio)
        await link.sendBytes('SET', key, Buffer.from(audio.buffer, audio.byteOffset, audio.byteLength));
      else await link.send('DEL', key);
    },
    async recording(name) {
      const reply = await link.sendBytes('GET', keys.recording(name));
      if (reply === null) return undefined;
      if (!Buffer.isBuffer(reply))
        throw new StoreUnavailable('The store gave a recording that cannot be read');
      return new Uint8Array(reply);
    },
  };
}
