import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { createMedia, REAL_PARTS } from '../../../src/media/create-media.ts';
import { isRefusal, type MediaPort, type MediaSession } from '../../../src/media/media.ts';
import type { WorkerStart } from '../../../src/media/worker/protocol.ts';
import { RtpPeer } from '../../support/rtp-peer.ts';
import { BENCH_OPTIONS as OPTIONS, offerOf } from './bench.ts';

/** Starting, stopping and dying of the real worker thread. */

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const undo of cleanUp.splice(0).reverse()) await undo();
});

async function newPeer(): Promise<RtpPeer> {
  const peer = await RtpPeer.open();
  cleanUp.push(() => peer.close());
  return peer;
}

async function open(offer: string, peer: string, media: MediaPort): Promise<MediaSession> {
  const session = await media.open({ callId: 'c', peer, offer });
  if (isRefusal(session)) throw new Error(session.refused);
  return session;
}

/** Media whose workers the test can reach. */
function spawned(
  file: string,
  port: number,
  onProblem: (text: string, data?: object) => void = () => undefined,
) {
  const boot = new URL(`../../../${file}`, import.meta.url);
  const workers: Worker[] = [];
  const spawn = (workerData: WorkerStart): Worker => {
    const worker = new Worker(boot, { workerData, execArgv: [] });
    workers.push(worker);
    return worker;
  };
  const options = { ...OPTIONS, ports: { from: port, to: port + 3 }, onProblem };
  return { media: createMedia(options, { ...REAL_PARTS, spawn }), workers };
}

async function opensAgain(media: MediaPort): Promise<boolean> {
  const offer = offerOf(await newPeer());
  for (let tries = 0; tries < 400; tries++) {
    const next = await media.open({ callId: 'd', offer, peer: '127.0.0.1' });
    if (!isRefusal(next)) return true;
    await sleep(50);
  }
  return false;
}

describe('starting and stopping', () => {
  it('leaves the main thread free while it gets ready', async () => {
    const other = createMedia({ ...OPTIONS, ports: { from: 46_060, to: 46_062 } });
    cleanUp.push(() => other.stop());
    const cpu = process.cpuUsage();
    const loop = performance.eventLoopUtilization();
    await other.start();
    const { user, system } = process.cpuUsage(cpu);
    expect(performance.eventLoopUtilization(loop).active).toBeLessThan((user + system) / 1000 / 5);
  });

  it('an address of another machine is refused with a sentence', async () => {
    const other = createMedia({ ...OPTIONS, address: '192.0.2.123' });
    await expect(other.start()).rejects.toThrow(/media: bind EADDRNOTAVAIL 192\.0\.2\.123/);
  });

  it('missing prompts are refused with a sentence', async () => {
    const other = createMedia({ ...OPTIONS, prompts: { shipped: '/nowhere', language: 'en-GB' } });
    await expect(other.start()).rejects.toThrow('media: there are no prompts: no folder /nowhere/en-GB');
  });

  it('a worker that dies ends its calls, and the next call finds a new one', async () => {
    const { media: other, workers } = spawned('src/media/worker-boot.mjs', 46_080);
    await other.start();
    cleanUp.push(() => other.stop());
    const session = await open(offerOf(await newPeer()), '127.0.0.1', other);
    let closed = 0;
    session.onClosed = () => closed++;
    const playing = session.play(['service-problem']);
    await workers[0]?.terminate();
    expect([await playing, closed, other.stats().sessions]).toEqual(['stopped', 1, 0]);
    expect(await opensAgain(other)).toBe(true);
    expect(other.stats().workerRestarts).toBe(1);
  });

  it.each(['loop', 'block'])(
    'a worker that hangs (%s) is ended within 6 s, with all that dying does',
    async (how) => {
      const problems: unknown[] = [];
      const { media: other, workers } = spawned('test/support/hanging-worker.mjs', 46_084, (_text, data) =>
        problems.push(data),
      );
      await other.start();
      cleanUp.push(() => other.stop());
      const session = await open(offerOf(await newPeer()), '127.0.0.1', other);
      const closed = new Promise<void>((resolve) => {
        session.onClosed = () => resolve();
      });
      const [first] = workers;
      const ended = new Promise((resolve) => first?.on('exit', resolve));
      const from = performance.now();
      first?.postMessage({ type: how });
      const asked = session.renegotiate('x');
      await Promise.all([closed, ended]);
      expect(performance.now() - from).toBeLessThan(6_000);
      expect(await asked).toBeUndefined();
      expect(problems).toEqual([{ why: 'the media worker hangs' }]);
      expect(await opensAgain(other)).toBe(true);
      expect(other.stats()).toMatchObject({ workerRestarts: 1, workerHangs: 1, sessions: 1 });
    },
  );

  it('is not taken for one that hangs while the main thread stands still', async () => {
    const { media: other } = spawned('src/media/worker-boot.mjs', 46_088);
    await other.start();
    cleanUp.push(() => other.stop());
    const until = performance.now() + 6_000;
    while (performance.now() < until);
    await sleep(1_200);
    expect(other.stats()).toMatchObject({ workerRestarts: 0 });
  });

  it('stop ends calls and frees the ports; starting again works', async () => {
    const other = createMedia({ ...OPTIONS, ports: { from: 46_070, to: 46_071 } });
    await other.start();
    const session = await open(offerOf(await newPeer()), '127.0.0.1', other);
    const playing = session.play(['service-problem']);
    await other.stop();
    expect(await playing).toBe('stopped');
    const check = await RtpPeer.open(46_070);
    await check.close();
    await other.start();
    await open(offerOf(await newPeer()), '127.0.0.1', other);
    await other.stop();
  });
});
