// The media worker, but it hangs when it is told to: in a loop, or where not even a loop turns.
import { parentPort } from 'node:worker_threads';

parentPort.on('message', ({ type }) => {
  if (type === 'loop') for (;;);
  if (type === 'block') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});
await import('../../src/media/worker-boot.mjs');
