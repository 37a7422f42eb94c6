import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { createMedia } from '../../../src/media/create-media.ts';
import { isRefusal, type MediaPort, type MediaSession } from '../../../src/media/media.ts';
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
    const boot = new URL('../../../src/media/worker-boot.mjs', import.meta.url);
    const workers: Worker[] = [];
    const other = createMedia(
      { ...OPTIONS, ports: { from: 46_080, to: 46_081 } },
      {
        spawn: (workerData) => {
          const worker = new Worker(boot, { workerData, execArgv: [] });
          workers.push(worker);
          return worker;
        },
        delay: (run, ms) => void setTimeout(run, ms).unref(),
      },
    );
    await other.start();
    cleanUp.push(() => other.stop());
    const session = await open(offerOf(await newPeer()), '127.0.0.1', other);
    let closed = 0;
    session.onClosed = () => closed++;
    const playing = session.play(['service-problem']);
    await workers[0]?.terminate();
    expect([await playing, closed, other.stats().sessions]).toEqual(['stopped', 1, 0]);
    const offer = offerOf(await newPeer());
    let next = await other.open({ callId: 'd', offer, peer: '127.0.0.1' });
    for (let tries = 0; isRefusal(next) && tries < 100; tries++) {
      await sleep(50);
      next = await other.open({ callId: 'd', offer, peer: '127.0.0.1' });
    }
    expect(isRefusal(next)).toBe(false);
    expect(other.stats().workerRestarts).toBe(1);
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
