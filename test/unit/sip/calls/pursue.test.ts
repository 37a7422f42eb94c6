import { beforeEach, expect, test } from 'vitest';
import { type CallContext, connect } from '../../../../src/sip/calls/connect.ts';
import { MOST_DETOURS } from '../../../../src/sip/calls/detours.ts';
import { InboundInvite } from '../../../../src/sip/calls/inbound.ts';
import { type Pursued, type PursuedRoute, pursue } from '../../../../src/sip/calls/pursue.ts';
import { voicemailTrunks } from '../../../../src/sip/calls/voicemail.ts';
import { FakeResponse, settled } from '../../../support/fake-sip.ts';
import { user as person } from '../../domain/example.ts';
import { acme, invite, PBX, SOS, SPARE, World } from '../world.ts';

/** A call on its way to where it is wanted. */

const AMELIA = person('1001');
const CALLER = { name: 'Caller', number: '+441632960777' };
const RING: PursuedRoute = {
  ...{ kind: 'ring', user: AMELIA, hosts: [acme.hosts.get('d1')!], as: undefined },
  otherwise: { user: AMELIA, to: { kind: 'voicemail' }, reason: 'no-answer' },
};

let world: World;
let inbound: InboundInvite;
let request: ReturnType<typeof invite>;
let response: FakeResponse;
let context: CallContext;

beforeEach(() => {
  world = new World();
  context = world.context();
  request = invite('1001');
  response = new FakeResponse();
  inbound = new InboundInvite(world.srf.asSrf, request.asRequest, response.asResponse);
});

function follow(route: PursuedRoute): Promise<Pursued> {
  const caller = { kind: 'trunk', trunk: 'pbx' } as const;
  return pursue(context, { route, from: CALLER, extra: {} }, (attempt) =>
    connect(context, inbound, { ...attempt, caller, emergency: false, record: {} }),
  );
}

test('nobody answers for 25 s: the phone is cancelled, and the mailbox hears why', async () => {
  const result = follow(RING);
  await settled();
  const phone = world.srf.uac;
  phone.echo();
  phone.ring();
  world.clock.advance(24_900);
  await settled();
  expect(world.srf.uacs).toHaveLength(1);
  world.clock.advance(200);
  await settled();
  expect(phone.cancels).toHaveLength(1);
  expect(world.srf.uacs).toHaveLength(2);
  const { uri, options } = world.srf.uac;
  expect(uri).toContain('sip:1001@');
  expect(options.headers.Diversion).toMatch(/^<sip:1001@[^>]+>;reason=no-answer;counter=1/);
  expect(options.headers.From).toContain(CALLER.number);
  world.srf.uac.reject(404);
  expect(await result).toMatchObject({ outcome: 'failed', status: 404 });
});

test('early media of a phone that may not be the last stays behind: the caller is bound to the first', async () => {
  const result = follow(RING);
  await settled();
  world.srf.uac.ring(183, 'v=0 phone');
  await settled();
  expect(response.sent.map(({ status, body }) => [status, body])).toEqual([[180, undefined]]);
  world.srf.uac.reject(486);
  await settled();
  world.srf.uac.ring(183, 'v=0 mailbox');
  await settled();
  expect(response.sent.map(({ body }) => body)).toEqual([undefined, 'v=0 mailbox']);
  request.cancelled();
  expect(await result).toEqual({ outcome: 'gone' });
});

test('with nowhere else to go it rings on', async () => {
  const { otherwise: _, ...plain } = RING as Extract<PursuedRoute, { kind: 'ring' }>;
  void follow(plain);
  await settled();
  world.clock.advance(60_000);
  await settled();
  expect(world.srf.uacs).toHaveLength(1);
  expect(world.srf.uac.cancels).toEqual([]);
});

test('a caller who has gone is not sent on', async () => {
  const result = follow(RING);
  await settled();
  world.srf.uac.echo();
  request.cancelled();
  expect(await result).toEqual({ outcome: 'gone' });
  expect(world.srf.uacs).toHaveLength(1);
});

test('calls that go round, through a carrier that tells nothing of it, come to an end', async () => {
  const always: PursuedRoute = {
    ...{ kind: 'divert', as: undefined },
    to: { user: AMELIA, to: { kind: 'number', number: '+441632960999' }, reason: 'unconditional' },
  };
  const rounds = Array.from({ length: MOST_DETOURS }, () => follow(always));
  await settled();
  expect(await follow(always)).toMatchObject({ outcome: 'failed', status: 482 });
  expect(world.srf.uacs).toHaveLength(MOST_DETOURS);
  for (const uac of world.srf.uacs) uac.reject(486);
  await Promise.all(rounds);
  expect(context.table.detours.size).toBe(0);
  void follow(always);
  await settled();
  expect(world.srf.uacs).toHaveLength(MOST_DETOURS + 1);
});

test('the first trunk that is there for mailboxes has them; else the first ordinary one', () => {
  const voicemail = { identify: 'from', ownMessages: 'from', subscribe: true } as const;
  const named = { ...SPARE, voicemail };
  expect(voicemailTrunks([SOS, PBX, named]).map(({ trunk }) => trunk.name)).toEqual([SPARE.name]);
  expect(voicemailTrunks([SOS, PBX, SPARE])).toMatchObject([
    { trunk: { name: PBX.name }, voicemail: { identify: 'diversion', subscribe: false } },
  ]);
  expect(voicemailTrunks([SOS])).toEqual([]);
});
