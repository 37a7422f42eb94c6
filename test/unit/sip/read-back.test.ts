import { expect, test } from 'vitest';
import type { Directory } from '../../../src/domain/directory.ts';
import { digestSecrets } from '../../../src/services/digest-secrets.ts';
import { tableOf } from '../../../src/services/directory-document.ts';
import { readBackClips } from '../../../src/sip/menus/read-back.ts';
import { company, host, site, user, viewOf } from '../domain/example.ts';
import { invite, REALM, World } from './world.ts';

/** Dialling a site's test number: the desk's emergency address is read aloud, and nobody is called. */

const desk = host('d1', {
  callbackNumber: '+442079460111',
  digest: digestSecrets('d1', REALM, 'secret'),
  location: { network: '192.0.2.0/24', verified: false },
});

function acmeWith(numbers: readonly string[]): Directory {
  return tableOf([
    { kind: 'company', value: company() },
    { kind: 'site', value: site('london', { emergencyTestNumbers: numbers }) },
    { kind: 'user', value: user('1001') },
    { kind: 'host', value: desk },
  ]);
}

function dial(number: string, facts: Partial<Parameters<typeof viewOf>[0]> = {}) {
  const world = new World({ view: viewOf({ directory: acmeWith(['933']), ...facts }) });
  const app = world.app();
  return { world, app, dialled: world.dial(number) };
}

test.each([
  ['nobody is there', {}],
  ['somebody is there', { seats: { d1: '1001' } }],
  ['nobody knows who is where', { knowledge: 'unknown' as const }],
])('the address is read back when %s', async (_when, facts) => {
  const { world, app, dialled } = dial('933', facts);
  const { response } = await dialled;
  expect(response.final?.status).toBe(200);
  const what = { host: desk, callbackNumber: '+442079460111' };
  expect(world.media.session.heard).toEqual(readBackClips(what));
  expect(world.media.session.heard).toContain('address-not-confirmed');
  expect(world.srf.uas.byes).toEqual([{ Reason: 'SIP;cause=200;text="Emergency address read back"' }]);
  expect(world.srf.uacs).toEqual([]);
  expect(world.desk.told).toEqual([]);
  expect(app.stats()).toEqual({ calls: 0, legs: 0 });
});

test('who has not proved to be a phone hears nothing of where it stands', async () => {
  const { world } = dial('933');
  const response = await world.receive(invite('933'));
  expect(response.final?.status).toBe(401);
});

test('a real emergency number is never one', async () => {
  const world = new World({ view: viewOf({ directory: acmeWith(['999']) }) });
  world.app();
  await world.receive(invite('999'));
  expect(world.srf.uacs.map(({ uri }) => uri)).toEqual(['sip:999@sos.test:5060']);
});
