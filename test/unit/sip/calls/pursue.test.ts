import { beforeEach, expect, test } from 'vitest';
import { connect } from '../../../../src/sip/calls/connect.ts';
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

beforeEach(() => {
  world = new World();
  request = invite('1001');
  inbound = new InboundInvite(world.srf.asSrf, request.asRequest, new FakeResponse().asResponse);
});

function follow(route: PursuedRoute): Promise<Pursued> {
  const caller = { kind: 'trunk', trunk: 'pbx' } as const;
  return pursue(world.deps, { route, from: CALLER, extra: {} }, (attempt) =>
    connect(world.context(), inbound, { ...attempt, caller, emergency: false, record: {} }),
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

test('the first trunk that is there for mailboxes has them; else the first ordinary one', () => {
  const voicemail = { identify: 'from', ownMessages: 'from', subscribe: true } as const;
  const named = { ...SPARE, voicemail };
  expect(voicemailTrunks([SOS, PBX, named]).map(({ trunk }) => trunk.name)).toEqual([SPARE.name]);
  expect(voicemailTrunks([SOS, PBX, SPARE])).toMatchObject([
    { trunk: { name: PBX.name }, voicemail: { identify: 'diversion', subscribe: false } },
  ]);
  expect(voicemailTrunks([SOS])).toEqual([]);
});
