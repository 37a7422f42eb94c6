import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ChangeEvent } from '../../../src/domain/association.ts';
import type { Binding } from '../../../src/domain/binding.ts';
import type { Directory } from '../../../src/domain/directory.ts';
import type { EmergencyRecord } from '../../../src/domain/emergency-record.ts';
import { DiskSnapshot, type SnapshotView } from '../../../src/services/disk-snapshot.ts';
import type { SeenNetwork } from '../../../src/services/snapshot-file.ts';
import { binding, directory, host, NOW, user } from '../domain/example.ts';
import { TestLog } from './harness.ts';

/** What emergency calls need, on this node's own disk. */

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hd-snapshot-'));
  file = join(folder, 'emergency.json');
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const acme = directory({
  company: { country: 'GB' },
  users: [user('1001')],
  hosts: [host('d1', { callbackNumber: '+442079460111' }), host('d2')],
});

const record: EmergencyRecord = {
  ...{ id: 'r1', number: '999', host: 'd1', nickname: 'd1', site: 'london', callbackNumber: '+442079460111' },
  ...{ address: acme.hosts.get('d1')?.address, addressUnverified: false, guest: undefined },
  ...{ at: NOW, callbackUntil: NOW + 3_600_000 },
};

class FakeView implements SnapshotView {
  emergencyDirectory: Directory | undefined;
  directoryVersion = 1;
  records: EmergencyRecord[] = [];
  readonly used: Directory[] = [];
  readonly kept: EmergencyRecord[] = [];
  change: (event: ChangeEvent) => void = () => undefined;
  reconnect: () => void = () => undefined;
  placed: () => void = () => undefined;
  bindings: Record<string, readonly Binding[]> = {};
  remembered: ReadonlyMap<string, readonly Binding[]> = new Map();
  registered: (host: string) => void = () => undefined;

  bindingsOf(id: string): readonly Binding[] {
    return this.bindings[id] ?? [];
  }
  onBindingsChange(listener: (host: string) => void): () => void {
    this.registered = listener;
    return () => undefined;
  }
  rememberBindings(bindings: ReadonlyMap<string, readonly Binding[]>): void {
    this.remembered = bindings;
  }

  onChange(listener: (event: ChangeEvent) => void): () => void {
    this.change = listener;
    return () => undefined;
  }
  onReconnect(listener: () => void): () => void {
    this.reconnect = listener;
    return () => undefined;
  }
  onEmergency(listener: (one: EmergencyRecord) => void): () => void {
    this.placed = () => listener(record);
    return () => undefined;
  }
  openEmergencies(): Iterable<EmergencyRecord> {
    return this.records;
  }
  useEmergencyDirectory(one: Directory): void {
    this.used.push(one);
  }
  keepEmergencies(records: readonly EmergencyRecord[]): void {
    this.kept.push(...records);
  }
  changed(): void {
    this.directoryVersion += 1;
    this.change({ kind: 'directory', seq: 1, at: 1, actor: 'test', entries: 'all' });
  }
}

/** One node: its snapshot, its view and its time. */
class Node {
  readonly view = new FakeView();
  readonly log = new TestLog();
  readonly restored: SeenNetwork[] = [];
  networks: SeenNetwork[] = [];
  now = NOW;
  timers: { at: number; run: () => void }[] = [];
  readonly snapshot: DiskSnapshot;

  constructor(name = 'acme') {
    this.snapshot = new DiskSnapshot({
      ...{ view: this.view, log: this.log, folder, company: name },
      networks: { seen: () => this.networks, restore: (seen) => void this.restored.push(...seen) },
      clock: {
        now: () => this.now,
        setTimer: (ms, run) => {
          const timer = { at: this.now + ms, run };
          this.timers.push(timer);
          return { cancel: () => this.#drop(timer) };
        },
      },
    });
  }

  #drop(timer: object): void {
    this.timers = this.timers.filter((other) => other !== timer);
  }

  pass(ms: number): void {
    for (const end = this.now + ms; this.now < end; ) {
      this.now += 100;
      for (const timer of this.timers.filter(({ at }) => at <= this.now)) {
        if (!this.timers.includes(timer)) continue;
        this.#drop(timer);
        timer.run();
      }
    }
  }
}

async function written(): Promise<Node> {
  const node = new Node();
  node.view.emergencyDirectory = acme;
  node.view.records = [record];
  node.networks = [['192.0.2.0/24', NOW]];
  node.snapshot.start();
  await node.snapshot.stop();
  return node;
}

async function loaded(name?: string): Promise<Node> {
  const node = new Node(name);
  await node.snapshot.load();
  return node;
}

async function exists(): Promise<boolean> {
  return (await readdir(folder)).includes('emergency.json');
}

describe('what was written is read', () => {
  test('company, sites, desks, records and networks; nothing of people, no secret', async () => {
    await written();
    const { view, restored, log } = await loaded();
    const [found] = view.used;
    expect(found?.company).toEqual(acme.company);
    expect(found?.sites).toEqual(acme.sites);
    expect(found?.users.size).toBe(0);
    const { digest, ...desk } = found?.hosts.get('d1') ?? {};
    const { digest: secret, ...before } = acme.hosts.get('d1') ?? {};
    expect(desk).toEqual(before);
    expect(digest).not.toEqual(secret);
    expect(found?.hosts.size).toBe(2);
    expect(view.kept).toEqual([record]);
    expect(restored).toEqual([['192.0.2.0/24', NOW]]);
    expect(log.lines).toEqual([]);
    const text = await readFile(file, 'utf8');
    expect(text).not.toContain('digest');
    expect(text).not.toContain('Person 1001');
    expect(() => JSON.parse(text)).not.toThrow();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test('a desk known from disk has no digest anybody could answer', async () => {
    await written();
    const [one, other] = [await loaded(), await loaded()].map(
      ({ view }) => view.used[0]?.hosts.get('d1')?.digest,
    );
    expect(one?.md5).toMatch(/^[0-9a-f]{32}$/);
    expect(one).not.toEqual(other);
  });

  test('without a directory: the records of a node whose store was never there', async () => {
    const node = new Node();
    node.view.records = [record];
    node.snapshot.start();
    await node.snapshot.stop();
    const { view } = await loaded();
    expect(view.used).toEqual([]);
    expect(view.kept).toEqual([record]);
  });

  test('a record whose time is over is left where it is', async () => {
    await written();
    const node = new Node();
    node.now = record.callbackUntil;
    await node.snapshot.load();
    expect(node.view.kept).toEqual([]);
  });
});

describe('phones that may be called back', () => {
  const here = binding('sip:d1:h4ckme@192.0.2.10:5060;transport=udp', {
    ...{ callId: 'secret-looking-id', userAgent: 'PolycomVVX' },
    path: ['<sip:edge:t0ken@198.51.100.1;lr>'],
  });
  const elsewhere = binding('sip:d1@192.0.2.20:5060');
  const phones = async (bindings: FakeView['bindings']): Promise<Node> => {
    const node = new Node();
    node.view.emergencyDirectory = acme;
    node.view.records = [record];
    node.view.bindings = bindings;
    node.snapshot.start();
    node.pass(1_000);
    await expect.poll(exists).toBe(true);
    await settled();
    return node;
  };

  test('are kept with the way to them and without a secret, as long as the record is open', async () => {
    await (await phones({ d1: [here], d2: [elsewhere] })).snapshot.stop();
    const text = await readFile(file, 'utf8');
    for (const secret of ['h4ckme', 't0ken', 'secret-looking-id']) expect(text).not.toContain(secret);
    const { view, log } = await loaded();
    expect([...view.remembered]).toEqual([
      [
        'd1',
        [
          {
            ...{ contact: 'sip:d1@192.0.2.10:5060;transport=udp', flow: here.flow, q: 1 },
            ...{ path: ['<sip:edge@198.51.100.1;lr>'], expiresAt: record.callbackUntil },
            ...{ callId: '', cseq: 0, userAgent: '' },
          },
        ],
      ],
    ]);
    expect(log.lines).toEqual([]);
    const late = new Node();
    late.now = record.callbackUntil;
    await late.snapshot.load();
    expect(late.view.remembered.size).toBe(0);
  });

  test('are written when they register elsewhere or sign off, and not at each refresh', async () => {
    const node = await phones({ d1: [here] });
    const written_ = async (): Promise<number> => (await stat(file)).ino;
    const first = await written_();
    node.view.bindings.d1 = [{ ...here, expiresAt: NOW + 900_000, cseq: 2 }];
    node.view.registered('d1');
    node.view.bindings.d2 = [elsewhere];
    node.view.registered('d2');
    node.pass(31_000);
    await settled();
    expect(await written_()).toBe(first);
    node.view.bindings.d1 = [elsewhere];
    node.view.registered('d1');
    await soon(node, () => says('192.0.2.20'));
    node.view.bindings.d1 = [];
    node.view.registered('d1');
    await soon(node, async () => !(await says('["phones"')));
    await node.snapshot.stop();
  });

  test('that moved while nobody told of it are found', async () => {
    const node = await phones({ d1: [here] });
    node.view.bindings.d1 = [elsewhere];
    node.pass(30_000);
    await soon(node, () => says('192.0.2.20'));
    await node.snapshot.stop();
  });

  test('ten at most of one desk; what is damaged is left out', async () => {
    await (
      await phones({ d1: Array.from({ length: 12 }, (_, i) => binding(`sip:d1@192.0.2.${i}`)) })
    ).snapshot.stop();
    expect((await loaded()).view.remembered.get('d1')).toHaveLength(10);
    await (await phones({ d1: [{ ...elsewhere, flow: { ...elsewhere.flow, port: 0 } }] })).snapshot.stop();
    const { view, log } = await loaded();
    expect(view.remembered.size).toBe(0);
    expect(view.kept).toEqual([record]);
    expect(log.level('warn')).toHaveLength(1);
  });
});

describe('a file that cannot be used is reported and ignored', () => {
  const spoil: Record<string, (text: string) => string> = {
    'a changed letter': (text) => text.replace('Example Street', 'Exemple Street'),
    'half of it': (text) => text.slice(0, text.length / 2),
    'the last line missing': (text) => text.replace(/\n\].*\n$/, '\n'),
    'something after the end': (text) => text.replace(/\n(\].*)\n$/, '\n$1\n$1\n'),
    'another format': (text) => text.replace('"format":1', '"format":2'),
    nothing: () => '',
    'no JSON': () => 'hello\n',
    'nul bytes': (text) => '\0'.repeat(text.length),
  };
  test.each(Object.entries(spoil))('%s', async (_what, change) => {
    await written();
    await writeFile(file, change(await readFile(file, 'utf8')));
    const { view, restored, log } = await loaded();
    expect([view.used, view.kept, restored]).toEqual([[], [], []]);
    expect(log.level('warn')).toHaveLength(1);
  });

  test("another company's", async () => {
    await written();
    const { view, log } = await loaded('other');
    expect(view.used).toEqual([]);
    expect(log.level('warn')[0]).toContain("another company's");
  });

  test('a folder in its place', async () => {
    await mkdir(file);
    const { log } = await loaded();
    expect(log.level('warn')).toHaveLength(1);
  });

  test('none is no problem', async () => {
    expect((await loaded()).log.lines).toEqual([]);
  });
});

describe('when it is written', () => {
  test('a second after the last change, five after the first at the latest', async () => {
    const node = new Node();
    node.view.emergencyDirectory = acme;
    node.snapshot.start();
    for (let i = 0; i < 9; i++) {
      node.pass(500);
      node.view.changed();
      await settled();
      expect(await exists()).toBe(false);
    }
    node.pass(600);
    await expect.poll(exists).toBe(true);
    await node.snapshot.stop();
  });

  test.each<[string, (view: FakeView) => void]>([
    ['the directory changes', (view) => view.changed()],
    ['an emergency call is placed', (view) => view.placed()],
    ['the store is back', (view) => view.reconnect()],
  ])('when %s', async (_what, happen) => {
    const node = await started();
    const before = (await stat(file)).ino;
    happen(node.view);
    await soon(node, async () => (await stat(file)).ino !== before);
    await node.snapshot.stop();
  });

  test('a change nobody told of is found', async () => {
    const node = await started();
    const before = (await stat(file)).ino;
    node.view.directoryVersion += 1;
    node.pass(30_000);
    await soon(node, async () => (await stat(file)).ino !== before);
    await node.snapshot.stop();
  });

  test('nothing changes: nothing is written', async () => {
    const node = await started();
    const before = (await stat(file)).ino;
    node.pass(120_000);
    await node.snapshot.stop();
    expect((await stat(file)).ino).toBe(before);
  });

  test('a change during the writing is written after it', async () => {
    const node = new Node();
    node.view.emergencyDirectory = acme;
    node.snapshot.start();
    node.pass(1_000);
    node.view.records = [record];
    node.view.placed();
    await expect.poll(exists).toBe(true);
    await soon(node, () => says('"r1"'));
    await node.snapshot.stop();
  });

  test('the folder cannot be written: logged once, tried again, and said when it is well again', async () => {
    const node = new Node();
    node.view.emergencyDirectory = acme;
    await rm(folder, { recursive: true });
    node.snapshot.start();
    for (let i = 0; i < 3; i++) {
      node.view.changed();
      node.pass(1_000);
      await settled();
    }
    await expect.poll(() => node.log.level('error').length).toBe(1);
    await mkdir(folder);
    node.pass(32_000);
    await expect.poll(exists).toBe(true);
    await node.snapshot.stop();
    expect(node.log.level('error')).toHaveLength(1);
    expect(node.log.level('info')).toHaveLength(1);
  });
});

async function started(): Promise<Node> {
  const node = new Node();
  node.view.emergencyDirectory = acme;
  node.snapshot.start();
  node.pass(1_000);
  await expect.poll(exists).toBe(true);
  await settled();
  return node;
}

/**
 * Looks until it is so, a second later each time. The second of a change begins when the writing before it is over, and that is
 * some time after the file is there.
 */
async function soon(node: Node, isSo: () => Promise<boolean>): Promise<void> {
  const look = (): Promise<boolean> => {
    node.pass(1_000);
    return isSo();
  };
  await expect.poll(look).toBe(true);
}

const says = async (text: string): Promise<boolean> => (await readFile(file, 'utf8')).includes(text);

async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 30));
}

test('100,000 desks are written and read without holding anybody up', async () => {
  const hosts = Array.from({ length: 100_000 }, (_, i) => host(`d${i}`, { callbackNumber: '+442079460111' }));
  const node = new Node();
  node.view.emergencyDirectory = directory({ hosts });
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const begun = performance.now();
  node.snapshot.start();
  await node.snapshot.stop();
  const reader = await loaded();
  const tookMs = performance.now() - begun;
  delay.disable();
  expect(reader.view.used[0]?.hosts.size).toBe(100_000);
  // A turn takes a few ms of the second or two it takes in all, on a machine of any speed.
  expect(delay.percentile(99) / 1e6).toBeLessThan(tookMs / 10);
}, 60_000);
