import { beforeEach, describe, expect, test } from 'vitest';
import type { FaceOutcome } from '../../../src/services/ports.ts';
import type { Request, Srf } from '../../../src/sip/srf.ts';
import { TextMessages } from '../../../src/sip/text-messages.ts';
import { FakeRequest, settled } from '../../support/fake-sip.ts';
import { binding, viewOf } from '../domain/example.ts';
import { acme, World } from './world.ts';

/** Texts on the display of phones (RFC 3428). */

interface Sent {
  readonly uri: string;
  readonly options: { method: string; headers?: Record<string, string>; body?: string; proxy?: string };
  readonly request: FakeRequest;
}

const BINDINGS = {
  d1: [binding('sip:d1@192.0.2.10:5060')],
  u1002: [binding('sip:u1002@192.0.2.21'), binding('sip:u1002@192.0.2.22')],
};

let world: World;
let sent: Sent[];
let broken: 'throws' | 'refuses' | undefined;
let texts: TextMessages;

beforeEach(() => {
  sent = [];
  broken = undefined;
  const srf: Pick<Srf, 'request'> = {
    request(uri, options, callback) {
      if (broken === 'throws') throw new Error('no socket');
      if (broken === 'refuses') return callback(new Error('no transport'), undefined as unknown as Request);
      const request = new FakeRequest({ method: options.method, uri });
      sent.push({ uri, options, request });
      callback(null, request.asRequest);
    },
  };
  world = new World({
    srf: srf as unknown as Srf,
    view: viewOf({ directory: acme, bindings: BINDINGS }),
  });
  texts = new TextMessages(world.deps);
});

function answer(index: number, status: number): void {
  sent[index]?.request.emit('response', { status });
}

test('goes to every phone of the host, as it is', async () => {
  const shown = texts.show('u1002', 'EMERGENCY CALL 999 from Tür, Erdgeschoß');
  expect(sent.map(({ uri, options }) => [uri, options.method])).toEqual([
    ['sip:u1002@192.0.2.21', 'MESSAGE'],
    ['sip:u1002@192.0.2.22', 'MESSAGE'],
  ]);
  expect(sent[0]?.options).toMatchObject({
    body: 'EMERGENCY CALL 999 from Tür, Erdgeschoß',
    headers: { From: '"Hot desk" <sip:hotdesk@hotdesk.test>', 'Content-Type': 'text/plain;charset=UTF-8' },
  });
  answer(0, 408);
  answer(1, 200);
  expect(await shown).toBe('told');
  expect(world.clock.pending).toBe(0);
});

describe('what comes of it', () => {
  test.each<[number, FaceOutcome]>([
    [200, 'told'],
    [202, 'told'],
    [401, 'refused'],
    [405, 'refused'],
    [415, 'refused'],
    [408, 'failed'],
    [480, 'failed'],
    [503, 'failed'],
  ])('%i: %s', async (status, outcome) => {
    const shown = texts.show('d1', 'x');
    answer(0, 100);
    answer(0, status);
    expect(await shown).toBe(outcome);
  });

  test('silence for eight seconds: failed', async () => {
    const shown = texts.show('d1', 'x');
    await settled();
    world.clock.advance(8_000);
    expect(await shown).toBe('failed');
    answer(0, 200);
  });

  test.each(['throws', 'refuses'] as const)(
    'the SIP server %s: failed, and no timer is left',
    async (how) => {
      broken = how;
      expect(await texts.show('d1', 'x')).toBe('failed');
      expect(world.clock.pending).toBe(0);
    },
  );

  test.each(['d2', 'nobody', '__proto__'])('%s has no phone: nobody', async (host) => {
    expect(await texts.show(host, 'x')).toBe('nobody');
  });
});
