import { describe, expect, it } from 'vitest';
import { createMedia, type Thread } from '../../../src/media/create-media.ts';
import { isRefusal, type MediaOptions, type MediaSession } from '../../../src/media/media.ts';
import { Pulse } from '../../../src/media/pulse.ts';
import type { Command, Ping, Reply, Report, WorkerStart } from '../../../src/media/worker/protocol.ts';

const OPTIONS: MediaOptions = {
  address: '127.0.0.1',
  ports: { from: 36_000, to: 36_010 },
  prompts: { shipped: 'nowhere', language: 'en-GB' },
  srtp: 'optional',
  silentAfterMs: 30_000,
  latch: 'latch',
  inband: 'auto',
};

/** What stop gives a worker to end. */
const LAST_BREATH_MS = 2_000;

/** A worker thread that does what the test says. */
class FakeThread implements Thread {
  readonly commands: Exclude<Command, Ping>[] = [];
  readonly pulse: Pulse;
  hangs = false;
  terminated = false;
  /** The answer to a close. */
  closing: Reply = {};
  answers = true;
  private readonly handlers = new Map<string, (value: never) => void>();

  constructor({ pulse }: WorkerStart) {
    this.pulse = new Pulse(pulse);
  }

  on(event: string, handler: (value: never) => void): void {
    this.handlers.set(event, handler);
  }

  postMessage(command: Command): void {
    if (command.type === 'ping') return this.hangs ? undefined : this.pulse.beat();
    this.commands.push(command);
    const isRequest = 'ref' in command && command.type !== 'play' && command.type !== 'record';
    if (!isRequest || !this.answers) return;
    const reply = command.type === 'close' ? this.closing : { sdp: `sdp ${command.type}` };
    queueMicrotask(() => this.report({ type: 'reply', ref: command.ref, session: command.session, reply }));
  }

  async terminate(): Promise<void> {
    this.terminated = true;
    this.emit('exit', undefined);
  }

  report(report: Report): void {
    this.emit('message', report);
  }

  crash(): void {
    this.emit('error', new Error('out of memory'));
    this.emit('exit', undefined);
  }

  private emit(event: string, value: unknown): void {
    this.handlers.get(event)?.(value as never);
  }
}

function bench(options: Partial<MediaOptions> = {}) {
  const threads: FakeThread[] = [];
  const delays: { run: () => void; ms: number }[] = [];
  const problems: string[] = [];
  const watches = new Set<() => void>();
  const media = createMedia(
    { ...OPTIONS, onProblem: (text) => problems.push(text), ...options },
    {
      spawn: (start) => {
        const thread = new FakeThread(start);
        threads.push(thread);
        return thread;
      },
      delay: (run, ms) => delays.push({ run, ms }),
      repeat: (run) => {
        watches.add(run);
        return () => void watches.delete(run);
      },
    },
  );
  const started = async (): Promise<FakeThread> => {
    const start = media.start();
    const thread = threads.at(-1) as FakeThread;
    thread.report({ type: 'ready' });
    await start;
    return thread;
  };
  const restarts = (): number[] =>
    delays.map((one) => one.ms).filter((ms) => ms < 60_000 && ms !== LAST_BREATH_MS);
  const look = (times: number): void => {
    for (let i = 0; i < times; i++) for (const run of [...watches]) run();
  };
  return { media, threads, delays, problems, watches, look, started, restarts };
}

async function openOne(media: ReturnType<typeof createMedia>): Promise<MediaSession> {
  const session = await media.open({ callId: 'a', offer: 'x', peer: '127.0.0.1' });
  if (isRefusal(session)) throw new Error(session.refused);
  return session;
}

const idOf = (thread: FakeThread): number => thread.commands[0]?.session as number;

describe('starting', () => {
  it('is over when the worker is ready', async () => {
    const { media, started } = bench();
    await started();
    expect(media.stats()).toMatchObject({ sessions: 0, workerRestarts: 0 });
  });

  it('rejects with the worker’s reason, and does not try again by itself', async () => {
    const { media, threads, restarts } = bench();
    const start = media.start();
    threads[0]?.report({ type: 'failed', text: 'there are no prompts' });
    await expect(start).rejects.toThrow('media: there are no prompts');
    expect(threads[0]?.terminated).toBe(true);
    expect(restarts()).toEqual([]);
  });

  it.each<[Partial<MediaOptions>, string]>([
    [{ address: 'localhost' }, 'must be an IP address'],
    [{ address: '0.0.0.0' }, 'external address'],
    [{ address: '::', externalAddress: '192.0.2.1' }, 'other IP family'],
    [{ externalAddress: 'pbx.example' }, 'must be an IP address'],
  ])('%j is refused', async (options, text) => {
    await expect(bench(options).media.start()).rejects.toThrow(text);
  });

  it('a call before the start is refused', async () => {
    expect(await bench().media.open({ callId: 'a', peer: '127.0.0.1' })).toEqual({ refused: 'noPorts' });
  });
});

describe('a session', () => {
  it('passes refusals on and keeps nothing of them', async () => {
    const { media, started } = bench();
    const thread = await started();
    thread.answers = false;
    const open = media.open({ callId: 'a', offer: 'x', peer: '127.0.0.1' });
    const { ref, session } = thread.commands[0] as { ref: number; session: number };
    thread.report({ type: 'reply', ref, session, reply: { refused: 'notAcceptable' } });
    expect(await open).toEqual({ refused: 'notAcceptable' });
    expect(media.stats().sessions).toBe(0);
  });

  it('keeps digits from before anybody listens, 64 of them', async () => {
    const { media, started } = bench();
    const thread = await started();
    const opening = openOne(media);
    const session = idOf(thread);
    for (let i = 0; i < 100; i++)
      thread.report({ type: 'digit', session, digit: String(i % 10), source: 'rtp' });
    const call = await opening;
    let heard = '';
    call.onDigit = ({ digit }) => {
      heard += digit;
    };
    expect(heard).toBe('0123456789'.repeat(7).slice(0, 64));
  });

  it('stops delivering the queue when the handler takes itself away', async () => {
    const { media, started } = bench();
    const thread = await started();
    const call = await openOne(media);
    for (const digit of '12#34')
      thread.report({ type: 'digit', session: idOf(thread), digit, source: 'rtp' });
    let first = '';
    call.onDigit = ({ digit }) => {
      first += digit;
      if (digit === '#') call.onDigit = undefined;
    };
    let second = '';
    call.onDigit = ({ digit }) => {
      second += digit;
    };
    expect([first, second]).toEqual(['12#', '34']);
  });

  it('merges INFO with RTP', async () => {
    const { media, started } = bench();
    const thread = await started();
    const call = await openOne(media);
    const heard: string[] = [];
    call.onDigit = ({ digit, source }) => heard.push(`${digit} ${source}`);
    expect(call.info('application/dtmf-relay', 'Signal=1\r\n')).toBe(true);
    thread.report({ type: 'digit', session: idOf(thread), digit: '1', source: 'rtp' });
    thread.report({ type: 'digit', session: idOf(thread), digit: '2', source: 'rtp' });
    expect(call.info('text/plain', '2')).toBe(false);
    expect(call.info('application/dtmf', '2')).toBe(true);
    expect(heard).toEqual(['1 info', '2 rtp']);
  });

  it('play is done when the worker says so, stopped by stop, a new play, and close', async () => {
    const { media, started } = bench();
    const thread = await started();
    const call = await openOne(media);
    const session = idOf(thread);
    const first = call.play(['a']);
    const second = call.play(['b']);
    expect(await first).toBe('stopped');
    thread.report({ type: 'played', session, ref: 1 });
    thread.report({ type: 'played', session, ref: 2 });
    expect(await second).toBe('done');
    const third = call.play(['c']);
    thread.report({ type: 'played', session, ref: 2 });
    call.stop();
    call.stop();
    expect(await third).toBe('stopped');
    const fourth = call.play(['d']);
    await call.close();
    expect(await fourth).toBe('stopped');
    expect(await call.play(['e'])).toBe('stopped');
    expect(thread.commands.map((one) => one.type)).toEqual([
      'open',
      'play',
      'play',
      'play',
      'stop',
      'play',
      'close',
    ]);
  });

  it('knows its latest SDP', async () => {
    const { media, started } = bench();
    await started();
    const call = await openOne(media);
    expect(call.localSdp).toBe('sdp open');
    expect(await call.renegotiate('x')).toBe('sdp renegotiate');
    expect(call.localSdp).toBe('sdp renegotiate');
    expect(await call.reoffer()).toBe('sdp reoffer');
    await call.close();
    expect(await call.renegotiate('x')).toBeUndefined();
    expect(await call.reoffer()).toBe('sdp reoffer');
  });

  it('is silent after close', async () => {
    const { media, started } = bench();
    const thread = await started();
    const call = await openOne(media);
    let told = 0;
    call.onDigit = () => told++;
    call.onSilent = () => told++;
    call.onClosed = () => told++;
    await call.close();
    const session = idOf(thread);
    thread.report({ type: 'digit', session, digit: '1', source: 'rtp' });
    thread.report({ type: 'silent', session });
    thread.crash();
    expect(told).toBe(0);
    expect(media.stats().sessions).toBe(0);
  });
});

describe('recording', () => {
  const OPTIONS = { maxMs: 5000, silenceMs: 1500 };
  const said = Uint8Array.of(1, 2, 3);

  async function talking() {
    const parts = bench();
    const thread = await parts.started();
    const call = await openOne(parts.media);
    const recorded = (ref: number, mulaw?: Uint8Array): void =>
      thread.report({ type: 'recorded', session: idOf(thread), ref, mulaw });
    return { ...parts, thread, call, recorded };
  }

  it('resolves with what the worker heard', async () => {
    const { call, thread, recorded } = await talking();
    const recording = call.record(OPTIONS);
    expect(thread.commands.at(-1)).toEqual({
      type: 'record',
      session: idOf(thread),
      ref: 1,
      options: OPTIONS,
    });
    call.stopRecording();
    expect(thread.commands.at(-1)?.type).toBe('stopRecording');
    recorded(1, said);
    expect(await recording).toEqual({ mulaw: said });
  });

  it('nothing said is undefined, and nothing is stopped that does not run', async () => {
    const { call, thread, recorded } = await talking();
    const recording = call.record(OPTIONS);
    recorded(1);
    expect(await recording).toBeUndefined();
    call.stopRecording();
    expect(thread.commands.at(-1)?.type).toBe('record');
  });

  it('a new one throws the old one away', async () => {
    const { call, recorded } = await talking();
    const first = call.record(OPTIONS);
    const second = call.record(OPTIONS);
    expect(await first).toBeUndefined();
    recorded(1, Uint8Array.of(9));
    recorded(2, said);
    expect(await second).toEqual({ mulaw: said });
  });

  it('the end of the call ends it: what was said comes with the answer to the close', async () => {
    const { call, thread } = await talking();
    thread.closing = { recorded: said };
    const recording = call.record(OPTIONS);
    await call.close();
    expect(await recording).toEqual({ mulaw: said });
    expect(await call.record(OPTIONS)).toBeUndefined();
  });

  it('dies with the worker, whether the call was being closed or not', async () => {
    for (const closing of [false, true]) {
      const { call, thread } = await talking();
      thread.answers = false;
      const recording = call.record(OPTIONS);
      if (closing) void call.close();
      thread.crash();
      expect(await recording).toBeUndefined();
    }
  });

  it('is played as a copy of its own: no view takes other memory along, none is longer than ten seconds', async () => {
    const { call, thread } = await talking();
    const pool = new Uint8Array(200_000).fill(7);
    void call.play(['goodbye', { mulaw: pool.subarray(50_000, 50_003) }, { mulaw: pool }]);
    const command = thread.commands.at(-1);
    const clips = command?.type === 'play' ? command.clips : [];
    expect(clips[0]).toBe('goodbye');
    const [short, long] = clips.slice(1).map((item) => (item as { mulaw: Uint8Array }).mulaw);
    expect([short?.buffer.byteLength, long?.length]).toEqual([3, 80_000]);
    expect(short).toEqual(Uint8Array.of(7, 7, 7));
  });
});

describe('when the worker dies', () => {
  it('every call is told, what waits is answered, and a new worker takes over', async () => {
    const { media, threads, delays, problems, started } = bench();
    const thread = await started();
    const call = await openOne(media);
    let closed = 0;
    call.onClosed = () => closed++;
    const playing = call.play(['a']);
    thread.answers = false;
    const asking = call.renegotiate('x');
    thread.crash();
    expect([closed, await playing, await asking]).toEqual([1, 'stopped', undefined]);
    expect(await media.open({ callId: 'b', peer: '127.0.0.1' })).toEqual({ refused: 'noPorts' });
    expect(problems).toEqual(['the media worker died and is started again']);
    delays.at(-1)?.run();
    threads[1]?.report({ type: 'ready' });
    await Promise.resolve();
    expect(isRefusal(await openOne(media))).toBe(false);
    expect(media.stats()).toMatchObject({ sessions: 1, workerRestarts: 1 });
  });

  it('waits longer each time it dies again, up to half a minute', async () => {
    const { threads, delays, started, restarts } = bench();
    await started();
    for (let i = 0; i < 12; i++) {
      threads.at(-1)?.crash();
      delays.at(-1)?.run();
    }
    expect(restarts().slice(0, 3)).toEqual([100, 200, 400]);
    expect(restarts().at(-1)).toBe(30_000);
  });

  it('not while stopping, and stop does not wait for the dead', async () => {
    const { media, threads, started, restarts } = bench();
    const thread = await started();
    await openOne(media);
    thread.answers = false;
    const stopping = media.stop();
    threads[0]?.crash();
    await stopping;
    expect(restarts()).toEqual([]);
  });

  it('not after stop', async () => {
    const { media, threads, started, restarts } = bench();
    await started();
    const call = await openOne(media);
    await media.stop();
    expect(threads[0]?.terminated).toBe(true);
    expect(restarts()).toEqual([]);
    expect(await call.play(['a'])).toBe('stopped');
  });
});

describe('a worker that hangs', () => {
  it('is as good as dead after eight looks without a sign of life, and another one takes over', async () => {
    const { media, threads, delays, problems, look, started } = bench();
    const thread = await started();
    const call = await openOne(media);
    let closed = 0;
    call.onClosed = () => closed++;
    thread.hangs = true;
    thread.answers = false;
    const asking = call.renegotiate('x');
    look(8);
    expect([closed, thread.terminated]).toEqual([0, false]);
    look(1);
    expect([closed, thread.terminated, await asking]).toEqual([1, true, undefined]);
    expect(problems).toEqual(['the media worker died and is started again']);
    delays.at(-1)?.run();
    threads[1]?.report({ type: 'ready' });
    await openOne(media);
    expect(media.stats()).toMatchObject({ sessions: 1, workerRestarts: 1, workerHangs: 1 });
  });

  it('is not one that gives a sign of life now and then', async () => {
    const { media, look, started } = bench();
    const thread = await started();
    for (let i = 0; i < 10; i++) {
      thread.hangs = true;
      look(7);
      thread.hangs = false;
      look(2);
    }
    expect(media.stats()).toMatchObject({ workerRestarts: 0 });
  });

  it('before it is ready fails the start after a minute, and is tried again later on', async () => {
    const { media, threads, delays, look } = bench();
    const start = media.start();
    look(121);
    await expect(start).rejects.toThrow('the media worker does not get ready');
    expect([threads.length, threads[0]?.terminated]).toEqual([1, true]);

    const other = bench();
    (await other.started()).crash();
    other.delays.at(-1)?.run();
    other.look(121);
    expect(other.threads[1]?.terminated).toBe(true);
    other.delays.at(-1)?.run();
    expect([other.threads.length, delays.length]).toEqual([3, 0]);
  });

  it('is heard no more, and no watch stays behind', async () => {
    const { media, look, delays, threads, watches, started } = bench();
    const thread = await started();
    thread.hangs = true;
    look(9);
    delays.at(-1)?.run();
    threads[1]?.report({ type: 'ready' });
    const call = await openOne(media);
    const heard: string[] = [];
    call.onDigit = ({ digit }) => heard.push(digit);
    const session = idOf(threads[1] as FakeThread);
    thread.report({ type: 'digit', session, digit: '1', source: 'rtp' });
    expect([heard, watches.size]).toEqual([[], 1]);
    await media.stop();
    expect(watches.size).toBe(0);
  });

  it('and cannot be ended is started again no more than three times', async () => {
    const { threads, delays, look, problems, started } = bench();
    await started();
    for (let i = 0; i < 5; i++) {
      const thread = threads.at(-1) as FakeThread;
      thread.terminate = () => new Promise(() => undefined);
      thread.hangs = true;
      look(9);
      delays.at(-1)?.run();
      threads.at(-1)?.report({ type: 'ready' });
    }
    expect(threads.length).toBe(3);
    expect(problems.at(-1)).toBe('media workers hang and do not end: restart Hotdesk');
  });
});

describe('a request that is never answered', () => {
  it('is given up after five seconds, told, and closed should it be answered after all', async () => {
    const { media, look, problems, started } = bench();
    const thread = await started();
    thread.answers = false;
    const open = media.open({ callId: 'a', offer: 'x', peer: '127.0.0.1' });
    const { ref, session } = thread.commands[0] as { ref: number; session: number };
    look(10);
    expect(problems).toEqual([]);
    look(1);
    expect(await open).toEqual({ refused: 'noPorts' });
    expect(problems).toEqual(['the media worker has left a request without an answer']);
    thread.report({ type: 'reply', ref, session, reply: { sdp: 'late' } });
    expect(thread.commands.slice(1)).toMatchObject([{ type: 'close', session }]);
    expect(media.stats()).toMatchObject({ sessions: 0, workerRestarts: 0 });
  });

  it('of the next worker is told as well, however long the one before had lived', async () => {
    const { media, threads, delays, look, problems, started } = bench();
    const thread = await started();
    const late = async (of: FakeThread): Promise<void> => {
      of.answers = false;
      const open = media.open({ callId: 'a', offer: 'x', peer: '127.0.0.1' });
      look(11);
      await open;
    };
    look(1_000);
    await late(thread);
    thread.crash();
    delays.at(-1)?.run();
    threads[1]?.report({ type: 'ready' });
    await late(threads[1] as FakeThread);
    expect(problems.filter((text) => text.includes('without an answer')).length).toBe(2);
  });
});
