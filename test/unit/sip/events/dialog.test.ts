import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { ChangeEvent } from '../../../../src/domain/association.ts';
import type { Company, Directory, Host } from '../../../../src/domain/directory.ts';
import type { View } from '../../../../src/domain/view.ts';
import { Lines, type OpenLine } from '../../../../src/sip/calls/lines.ts';
import { DialogPackage, userOfResource } from '../../../../src/sip/events/dialog.ts';
import { PersonLines } from '../../../../src/sip/events/person-lines.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { association, directory, host, NOW, UK, user, viewOf } from '../../domain/example.ts';
import { REALM, TapeLog } from '../world.ts';
import { FakeShared } from './notifier-world.ts';

/** Several nodes of one company over the same shared entries, without SIP. */
class Company_ {
  readonly clock = new FakeClock();
  readonly shared = new FakeShared(this.clock);
  readonly seats = new Map<string, string>();
  readonly listeners = new Set<(event: ChangeEvent) => void>();
  readonly log = new TapeLog();
  directory: Directory;
  #seq = 0;

  constructor(differs: Parameters<typeof directory>[0] = {}) {
    this.directory = directory(differs);
  }

  get view(): View & { onChange(listener: (event: ChangeEvent) => void): () => void } {
    const world = this;
    return {
      ...viewOf({ directory: this.directory }),
      get directory() {
        return world.directory;
      },
      associationAt: (id) => this.#association(id),
      associationOf: (extension) =>
        this.#association([...this.seats].find(([, guest]) => guest === extension)?.[0] ?? ''),
      onChange: (listener) => {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
      },
    };
  }

  node(name: string): Node {
    return new Node(this, name);
  }

  seat(at: string, guest: string): void {
    for (const [other, who] of [...this.seats]) if (other === at || who === guest) this.leave(other);
    this.seats.set(at, guest);
    const start = { kind: 'start', seq: ++this.#seq, at: NOW, actor: 'x', reason: 'logIn' } as const;
    this.tell({ ...start, association: association(at, guest), previousHost: undefined });
  }

  leave(at: string): void {
    const guest = this.seats.get(at);
    if (guest === undefined) return;
    this.seats.delete(at);
    const end = { kind: 'end', seq: ++this.#seq, at: NOW, actor: 'x', reason: 'loggedOut' } as const;
    this.tell({ ...end, association: association(at, guest) });
  }

  change(entries: readonly string[] | 'all', directory: Directory): void {
    this.directory = directory;
    this.tell({ kind: 'directory', seq: ++this.#seq, at: NOW, actor: 'x', entries });
  }

  tell(event: ChangeEvent): void {
    for (const listener of this.listeners) listener(event);
  }

  #association(id: string): ReturnType<typeof association> | undefined {
    const guest = this.seats.get(id);
    return guest === undefined ? undefined : association(id, guest);
  }
}

class Node {
  readonly name: string;
  readonly lines: Lines;
  readonly people: PersonLines;
  readonly pack: DialogPackage;
  /** Resources told of as changed since last asked. */
  told: string[] = [];
  readonly #world: Company_;

  constructor(world: Company_, name: string) {
    const { shared, clock, log, view } = world;
    this.#world = world;
    this.name = name;
    this.lines = new Lines(log);
    this.people = new PersonLines({
      ...{ lines: this.lines, view, shared, node: name, clock, log },
      extensionOf: (resource) => userOfResource(resource, world.directory, UK)?.extension,
    });
    this.pack = new DialogPackage({ people: this.people, view, numberPlan: UK, domain: REALM });
    this.pack.watch((resource) => this.told.push(resource));
    this.people.start();
  }

  watch(resource: string, id = `${this.name}-${resource}`, event = 'dialog'): void {
    this.#world.shared.put(`sub:${id}`, { event, resource, node: this.name }, 3_600_000);
    this.settle();
  }

  unwatch(resource: string, id = `${this.name}-${resource}`): void {
    this.#world.shared.put(`sub:${id}`, undefined, 1_000);
  }

  call(at: string, remote: string | undefined = '"Bob" <sip:1002@hotdesk.test>'): OpenLine {
    return this.lines.begin({ kind: 'host', host: at }, { direction: 'initiator', remote });
  }

  /** Told since the last time, in order. */
  settle(): string[] {
    this.#world.clock.advance(50);
    return this.told.splice(0);
  }

  /** `state` of each dialog shown, in order. */
  states(resource: string): string[] {
    return [...this.body(resource).matchAll(/<state>(\w+)<\/state>/g)].map(([, state = '']) => state);
  }

  body(resource: string, version = 0): string {
    return this.pack.stateFor({ resource }, version).body;
  }
}

const OWNED: Host[] = [host('d1'), host('d2'), host('u1002', { kind: 'user', owner: '1002' })];

let world: Company_;
let one: Node;

beforeEach(() => {
  world = new Company_();
  one = world.node('one');
});

describe('who may watch whom', () => {
  test.each([
    ['1001', 'admitted'],
    ['+442079461001', 'admitted'],
    ['02079461001', 'admitted'],
    ['1999', { status: 404, reason: 'Nobody has this extension' }],
    ['d1', { status: 404, reason: 'Nobody has this extension' }],
    ['', { status: 404, reason: 'Nobody has this extension' }],
  ])('%s', (resource, expected) => expect(one.pack.admit({ resource })).toEqual(expected));
});

describe('a person', () => {
  test('has the lines of where they sit, and none before and after', () => {
    one.watch('1001');
    const line = one.call('d1');
    expect(one.settle()).toEqual([]);
    world.seat('d1', '1001');
    expect([one.settle(), one.states('1001')]).toEqual([['1001'], ['trying']]);
    line.early();
    expect([one.settle(), one.states('1001')]).toEqual([['1001'], ['early']]);
    line.confirm();
    expect([one.settle(), one.states('1001')]).toEqual([['1001'], ['confirmed']]);
    world.leave('d1');
    expect([one.settle(), one.states('1001')]).toEqual([['1001'], []]);
    line.end();
    expect(one.settle()).toEqual([]);
  });

  test('moves: the old desk counts no more, the new one does', () => {
    one.watch('1001');
    world.seat('d1', '1001');
    one.call('d1');
    world.seat('d2', '1001');
    expect([one.settle(), one.states('1001')]).toEqual([['1001'], []]);
    one.call('d2').confirm();
    expect([one.settle(), one.states('1001')]).toEqual([['1001'], ['confirmed']]);
  });

  test('a guest has the owner’s phone, the owner has it back', () => {
    one.watch('1001');
    one.watch('1002');
    one.call('u1002').confirm();
    expect([one.settle(), one.states('1002')]).toEqual([['1002'], ['confirmed']]);
    world.seat('u1002', '1001');
    expect(one.settle().toSorted()).toEqual(['1001', '1002']);
    expect([one.states('1001'), one.states('1002')]).toEqual([['confirmed'], []]);
    world.leave('u1002');
    expect(one.settle().toSorted()).toEqual(['1001', '1002']);
    expect([one.states('1001'), one.states('1002')]).toEqual([[], ['confirmed']]);
  });

  test.each<[Company['ringOwnPhone'], string[]]>([
    [{ commonArea: false, user: false }, ['early']],
    [{ commonArea: true, user: false }, ['confirmed', 'early']],
  ])('their own phone while they sit elsewhere, as the company has it: %j', (ringOwnPhone, states) => {
    world = new Company_({ company: { ringOwnPhone } });
    one = world.node('one');
    world.seat('d1', '1002');
    one.call('d1').early();
    one.call('u1002').confirm();
    expect(one.states('1002')).toEqual(states);
  });

  test('who sits down elsewhere has left their own phone, whatever goes on there', () => {
    one.watch('1002');
    one.call('u1002').confirm();
    one.settle();
    world.seat('d1', '1002');
    expect([one.settle(), one.states('1002')]).toEqual([['1002'], []]);
    world.leave('d1');
    expect([one.settle(), one.states('1002')]).toEqual([['1002'], ['confirmed']]);
  });

  test('watched by number as well: each is told under its own name', () => {
    for (const resource of ['1001', '+442079461001', '02079461001']) one.watch(resource);
    world.seat('d1', '1001');
    one.settle();
    one.call('d1');
    expect(one.settle().toSorted()).toEqual(['+442079461001', '02079461001', '1001']);
    expect(one.body('+442079461001')).toContain(`entity="sip:+442079461001@${REALM}"`);
  });

  test('a phone that changes hands in the directory', () => {
    one.watch('1002');
    one.watch('1003');
    one.call('u1002');
    one.settle();
    const hosts = OWNED.map((each) => (each.owner ? { ...each, owner: '1003' } : each));
    world.change(['host:u1002'], directory({ hosts }));
    expect(one.settle().toSorted()).toEqual(['1002', '1003']);
    expect([one.states('1002'), one.states('1003')]).toEqual([[], ['trying']]);
  });

  test('a number that changes hands in the directory', () => {
    one.watch('+442079461001');
    world.seat('d1', '1001');
    one.call('d1');
    one.settle();
    const users = [user('1001', { numbers: [] }), user('1002', { numbers: ['+442079461001'] })];
    world.change(['user:1001', 'user:1002'], directory({ users }));
    expect([one.settle(), one.states('+442079461001')]).toEqual([['+442079461001'], []]);
    one.call('u1002');
    expect(one.settle()).toEqual(['+442079461001']);
  });

  test('of many calls ten are shown, those that are talked on first', () => {
    world.seat('d1', '1001');
    const lines = Array.from({ length: 30 }, () => one.call('d1'));
    lines.at(-1)?.confirm();
    const states = one.states('1001');
    expect(states).toHaveLength(10);
    expect(states[0]).toBe('confirmed');
  });
});

describe('nobody watches', () => {
  test('nothing is told, kept or written, and no time is taken', () => {
    world.seat('d1', '1001');
    const pending = world.clock.pending;
    one.call('d1').end();
    expect([world.clock.pending - pending, one.people.size, world.shared.names('line:')]).toEqual([0, 0, []]);
    one.watch('1001', 'lamp', 'message-summary');
    one.call('d1');
    expect([one.settle(), one.people.size, world.shared.names('line:')]).toEqual([[], 0, []]);
  });

  test('any more: what was kept goes', () => {
    one.watch('1001');
    world.seat('d1', '1001');
    one.call('d1');
    one.settle();
    expect(one.people.size).toBeGreaterThan(0);
    one.unwatch('1001');
    world.clock.advance(20_000);
    expect(one.people.size).toBe(0);
  });
});

test('a subscription that lapses is forgotten', () => {
  world.shared.put('sub:x', { event: 'dialog', resource: '1001', node: 'dead' }, 1_000);
  expect(one.people.size).toBeGreaterThan(0);
  world.clock.advance(20_001);
  expect(one.people.size).toBe(0);
});

describe('several nodes', () => {
  let two: Node;

  beforeEach(() => {
    two = world.node('two');
    world.seat('d1', '1001');
  });

  test('on a single node nothing is written', () => {
    one.watch('1001');
    one.call('d1');
    one.settle();
    expect(world.shared.names('line:')).toEqual([]);
  });

  test('a call carried by one shows on the other, as long as somebody watches there', () => {
    const line = one.call('d1', '"Bob" <sip:+441134960103@x>');
    two.watch('1001');
    expect([two.settle(), two.states('1001')]).toEqual([[], ['trying']]);
    expect(world.shared.names('line:')).toEqual(['line:d1:one']);
    line.confirm();
    expect([two.settle(), two.states('1001')]).toEqual([['1001'], ['confirmed']]);
    expect(two.body('1001')).toBe(one.body('1001'));
    two.unwatch('1001');
    world.clock.advance(20_001);
    expect(world.shared.names('line:')).toEqual([]);
    expect(line.remote).toContain('1134960103');
  });

  test('it goes at the end of the call; one that lasts is told anew', () => {
    two.watch('1001');
    const line = one.call('d1');
    one.settle();
    world.clock.advance(10 * 60_000);
    expect(two.states('1001')).toEqual(['trying']);
    two.settle();
    line.end();
    expect([two.settle(), two.states('1001')]).toEqual([['1001'], []]);
    expect(world.shared.names('line:')).toEqual([]);
  });

  test('what a dead node said lapses within 80 s, and is told', () => {
    world.shared.put(
      'line:d1:dead',
      { lines: [{ id: 'x', direction: 'initiator', state: 'early' }] },
      60_000,
    );
    two.watch('1001');
    two.settle();
    expect(two.states('1001')).toEqual(['early']);
    world.clock.advance(80_000);
    expect([two.settle(), two.states('1001')]).toEqual([['1001'], []]);
  });

  test('who moves takes the lines of all nodes along', () => {
    two.watch('1001');
    one.call('d1');
    one.call('d2').confirm();
    one.settle();
    expect([two.settle(), two.states('1001')].flat()).toContain('trying');
    world.seat('d2', '1001');
    two.settle();
    expect(two.states('1001')).toEqual(['confirmed']);
    expect(world.shared.names('line:')).toEqual(['line:d2:one']);
  });

  test('another node takes a subscription over: it is told from then on', () => {
    one.watch('1001', 'shared');
    one.call('d1');
    one.settle();
    two.watch('1001', 'shared');
    expect(two.states('1001')).toEqual(['trying']);
  });

  test('a node that stops, or starts again under its name, leaves nothing', () => {
    two.watch('1001');
    one.call('d1');
    one.settle();
    one.people.stop();
    expect(world.shared.names('line:')).toEqual([]);
    expect(one.people.size).toBe(0);
    world.shared.put('line:d2:one', { lines: [] }, 60_000);
    world.node('one');
    expect(world.shared.names('line:')).toEqual([]);
  });

  test.each([
    null,
    7,
    'x',
    [],
    { lines: 3 },
    { lines: [null, 4, {}, { id: 'a', direction: 'both', state: 'early' }] },
    { lines: [{ id: 'a', direction: 'initiator', state: 'odd' }] },
    { lines: [{ id: 'a', direction: 'initiator', state: 'early', remote: { name: 3 } }] },
  ])('what is no line is none: %j', (value) => {
    world.shared.put('line:d1:odd', value, 60_000);
    world.shared.put('line:odd', value, 60_000);
    expect(two.states('1001')).toEqual([]);
  });

  test('ten lines with the oddest names fit into an entry', () => {
    two.watch('1001');
    for (const odd of ['\u0000', '\ud800', '€', '"\\', '\u{1f600}'])
      for (let n = 0; n < 10; n++) one.call('d1', `"${odd.repeat(500)}" <sip:${'%E2%82%AC'.repeat(500)}@x>`);
    one.settle();
    const entry = world.shared.get('line:d1:one');
    expect(Buffer.byteLength(JSON.stringify(entry))).toBeLessThan(4_096);
    expect(two.states('1001').length).toBeGreaterThan(3);
  });

  test('a listener that fails is logged, and the next change is told', () => {
    one.watch('1001');
    const stop = one.people.onChange(() => {
      throw new Error('boom');
    });
    one.call('d1');
    one.settle();
    expect(world.log.errors()).toEqual(['lines could not be told to who watches them']);
    stop();
    one.call('d1');
    expect(one.settle()).toEqual(['1001']);
  });
});

test('whatever happens on whichever node, in the end nobody has a line and nothing is kept', () => {
  const hosts = fc.constantFrom('d1', 'd2', 'd3', 'u1002');
  const people = fc.constantFrom('1001', '1002', '1003');
  const node = fc.nat(1);
  const step = fc.oneof(
    fc.record({ do: fc.constant('call' as const), host: hosts, node }),
    fc.record({ do: fc.constantFrom('early', 'confirm', 'end'), which: fc.nat(9) }),
    fc.record({ do: fc.constant('seat' as const), host: hosts, who: people }),
    fc.record({ do: fc.constant('leave' as const), host: hosts }),
    fc.record({ do: fc.constantFrom('watch', 'unwatch'), who: people, node }),
    fc.record({ do: fc.constant('pass' as const), ms: fc.nat(70_000) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      world = new Company_();
      const nodes = [world.node('one'), world.node('two')] as const;
      const lines: OpenLine[] = [];
      for (const each of steps) {
        const on = 'node' in each ? nodes[each.node]! : nodes[0];
        if (each.do === 'call' && 'host' in each) lines.push(on.call(each.host));
        if ('which' in each) {
          const line = lines[each.which % Math.max(1, lines.length)];
          if (each.do === 'early') line?.early();
          else if (each.do === 'confirm') line?.confirm();
          else line?.end();
        }
        if (each.do === 'seat' && 'who' in each && 'host' in each) world.seat(each.host, each.who);
        if (each.do === 'leave' && 'host' in each) world.leave(each.host);
        if (each.do === 'watch' && 'who' in each) on.watch(each.who);
        if (each.do === 'unwatch' && 'who' in each) on.unwatch(each.who);
        if ('ms' in each) world.clock.advance(each.ms);
        world.clock.advance(30);
        for (const who of ['1001', '1002', '1003']) {
          // A phone that watches sees the same on every node.
          if (nodes.every(({ name }) => world.shared.get(`sub:${name}-${who}`) !== undefined))
            expect(nodes[0].body(who)).toBe(nodes[1].body(who));
          expect(nodes[0].states(who).length).toBeLessThanOrEqual(lines.length);
        }
      }
      for (const line of lines) line.end();
      world.clock.advance(100);
      for (const each of nodes) for (const who of ['1001', '1002', '1003']) each.unwatch(who);
      world.clock.advance(20_001);
      for (const who of ['1001', '1002', '1003'])
        expect(nodes.map((each) => each.states(who))).toEqual([[], []]);
      expect(nodes.map(({ people, lines: own }) => [people.size, own.size])).toEqual([
        [0, 0],
        [0, 0],
      ]);
      expect(world.shared.names('line:')).toEqual([]);
      expect(world.log.errors()).toEqual([]);
    }),
    { numRuns: 150 },
  );
});

/** What libxml2 says of it. @throws Error when it is not well-formed */
function lint(xml: string): void {
  execFileSync('xmllint', ['--noout', '--nonet', '-'], { input: xml });
}

describe('the document', () => {
  test('says who, in which direction, in which state, and to whom; no more', () => {
    world.seat('d1', '1001');
    one.call('d1', '"Ann & <Bob>" <sip:+441134960103@elsewhere.test;tag=secret>;tag=secret').confirm();
    one.lines.begin({ kind: 'host', host: 'd1' }, { direction: 'recipient', remote: undefined });
    const body = one.body('1001', 7).replace(/id="\w{16}"/g, 'id="…"');
    expect(body).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="7" state="full" entity="sip:1001@${REALM}">
<dialog id="…" direction="initiator">
<state>confirmed</state>
<local><identity>sip:1001@${REALM}</identity></local>
<remote><identity display="Ann &amp; &lt;Bob&gt;">sip:+441134960103@${REALM}</identity></remote>
</dialog>
<dialog id="…" direction="recipient">
<state>trying</state>
<local><identity>sip:1001@${REALM}</identity></local>
</dialog>
</dialog-info>
`);
    lint(body);
  });

  test('names colleagues who were dialled, and nobody who does not want it', () => {
    world.seat('d1', '1001');
    one.call('d1', '<sip:1002@hotdesk.test>');
    one.call('d1', '"Anonymous" <sip:anonymous@anonymous.invalid>');
    const body = one.body('1001');
    expect(body).toContain(`<identity display="Person 1002">sip:1002@${REALM}</identity>`);
    expect(body).toContain('<identity display="Anonymous">sip:anonymous@anonymous.invalid</identity>');
  });

  test('is the same as long as nothing changes', () => {
    world.seat('d1', '1001');
    one.call('d1');
    one.call('d1');
    expect(one.body('1001', 3)).toBe(one.body('1001', 3));
    const ids = [...one.body('1001').matchAll(/id="(\w+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(2);
  });

  test('of nobody is empty', () => {
    expect(one.states('1999')).toEqual([]);
    lint(one.body('1999'));
  });

  test('leaves out what would make it too large', () => {
    world.seat('d1', '1001');
    for (let n = 0; n < 10; n++) one.call('d1', `"${'€'.repeat(60)}" <sip:${'%E2%82%AC'.repeat(60)}@x>`);
    const body = one.body('1001');
    expect([body.length < 8_000, one.states('1001').length > 3]).toEqual([true, true]);
    lint(body);
  });

  test('is well-formed and small whatever names there are', () => {
    const odd = fc.constantFrom(
      '"',
      '<',
      '&',
      "'",
      '\\',
      '\u0000',
      '\ud800',
      '\uffff',
      'é',
      '\u{1f600}',
      ']]>',
      '%00',
      '%',
    );
    const text = fc.array(fc.oneof(odd, fc.string()), { maxLength: 80 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, text, (name, number) => {
        world = new Company_();
        one = world.node('one');
        world.seat('d1', '1001');
        for (let n = 0; n < 12; n++) one.call('d1', `"${name}" <sip:${number}@x>`);
        one.call('d1', name);
        const body = one.body('1001');
        expect(body.length).toBeLessThan(8_000);
        lint(body);
      }),
      { numRuns: 40 },
    );
  });
});
