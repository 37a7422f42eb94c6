import { expect, test } from 'vitest';
import { PHONES, passwordOf } from '../support/demo.ts';
import { DOMAIN } from '../support/hotdesk.ts';
import { endedByServer } from '../support/log-in.ts';
import { Phone } from '../support/phone.ts';
import { userOf } from '../support/sip-text.ts';
import { useHotdesk } from '../support/suite.ts';
import { eventually } from '../support/wait.ts';
import { openUdpWire } from '../support/wire.ts';

/** Design section 7: an emergency call comes from the right place, and everybody can hear and see which that is. */

const hotdesk = useHotdesk({ trunkTimeout: 1 });
const path = (host: string): string => `/api/v1/hosts/${host}`;

/** Short, as it is spelled letter by letter. */
const ADDRESS = {
  customerName: 'Bo',
  houseNumber: '7C',
  street: 'Oak St',
  city: 'Ely',
  postcode: 'cb74aa',
  country: 'GB',
  floor: '2',
  room: '10',
};

/** A demo phone that was carried to another network. */
async function elsewhere(host: string, address: string): Promise<Phone> {
  const wire = await openUdpWire(address);
  const server = hotdesk().sip.udp;
  wire.aim(server);
  return Phone.onWire(wire, { server, domain: DOMAIN, user: host, password: passwordOf(host) });
}

async function locationOf(host: string): Promise<unknown> {
  return (await hotdesk().api(path(host))).body.location;
}

async function expectLocation(host: string, network: string, verified: boolean): Promise<void> {
  await eventually(`${host} in ${network}, ${verified ? '' : 'not '}verified`, async () => {
    const location = (await locationOf(host)) as { network: string; verified: boolean } | null;
    return location?.network === network && location.verified === verified;
  });
}

/** The newest entries of the audit about a host: what and who. */
async function audit(host: string): Promise<string[]> {
  const { body } = await hotdesk().api(`/api/v1/audit?host=${host}&kind=security.notice`);
  return body.entries.map(({ reason, actor }: { reason: string; actor: string }) => `${reason} ${actor}`);
}

test('an address is changed by the rules of its country, and the audit says by whom', async () => {
  const bad = { ...ADDRESS, houseNumber: ' ', postcode: 'CB7' };
  const refused = await hotdesk().api(path(PHONES.window), { method: 'PATCH', json: { address: bad } });
  expect(refused).toMatchObject({ status: 422, type: expect.stringContaining('application/problem+json') });
  expect(refused.body.errors).toEqual([
    { path: 'body.address.houseNumber', message: 'must not be empty' },
    { path: 'body.address.postcode', message: 'must be a UK postcode such as SW1A 1AA' },
  ]);
  expect((await hotdesk().api(path(PHONES.window))).body.address.city).toBe('London');

  const done = await hotdesk().api(path(PHONES.window), { method: 'PATCH', json: { address: ADDRESS } });
  expect(done).toMatchObject({ status: 200, body: { address: { city: 'Ely', postcode: 'CB7 4AA' } } });
  expect((await hotdesk().api(path(PHONES.window))).body.address).toEqual({
    ...ADDRESS,
    postcode: 'CB7 4AA',
    state: null,
  });
  const { body } = await hotdesk().api('/api/v1/audit?kind=directory.changed&limit=1');
  expect(body.entries).toMatchObject([{ actor: 'admin:api', entries: [`host:${PHONES.window}`] }]);
});

test('the test number reads back what an emergency call would tell, and calls nobody', async () => {
  await hotdesk().api(path(PHONES.window), { method: 'PATCH', json: { address: ADDRESS } });
  const phone = await hotdesk().phone(PHONES.window);
  const call = await phone.call('933');
  await call.answered;
  await endedByServer(call, 40_000);
  const { callbackNumber } = (await hotdesk().api(path(PHONES.window))).body;
  const digits = [...callbackNumber.slice(1)].map((digit: string) => `digit-${digit}`);
  const letters = (text: string): string[] => [...text].map((letter) => `letter-${letter}`);
  expect(await call.transcript()).toEqual([
    ...['emergency-would-show', 'call-back-number', 'digit-plus', ...digits, 'emergency-address-is'],
    ...[...letters('bo'), 'address-number', 'digit-7', 'letter-c', ...letters('oakst'), ...letters('ely')],
    ...['address-postcode', ...letters('cb'), 'digit-7', 'digit-4', ...letters('aa')],
    ...['address-floor', 'digit-2', 'address-room', 'digit-1', 'digit-0', 'goodbye'],
  ]);
  for (const trunk of Object.values(hotdesk().trunks)) {
    expect(trunk.wire.trace.filter(({ message }) => message.text.startsWith('INVITE'))).toEqual([]);
  }
});

test('a phone that has moved: marked, told, still called for; confirmed by an administrator', async () => {
  const host = PHONES.leeds;
  await hotdesk().phone(host);
  await expectLocation(host, '127.0.0.0/24', true);
  expect(await audit(host)).toEqual([]);

  const moved = await elsewhere(host, '127.0.1.1');
  expect((await moved.register()).status).toBe(200);
  await expectLocation(host, '127.0.1.0/24', false);
  expect(await audit(host)).toEqual([expect.stringMatching(/^locationUnverified node:/)]);

  const help = await moved.call('999');
  const psap = await hotdesk().trunks.emergency.nextCall();
  await psap.accept();
  await help.answered;
  expect(userOf(psap.invite.header('P-Asserted-Identity'))).toBe('+441134960113');
  await help.hangUp();
  const { body } = await hotdesk().api('/api/v1/emergencies');
  expect(body.emergencies[0]).toMatchObject({ host: { id: host }, addressUnverified: true });
  expect(body.emergencies[0].address).toMatchObject({ city: 'Leeds', postcode: 'LS1 1AA' });

  const confirmed = await hotdesk().api(`${path(host)}/address/verification`, { method: 'POST' });
  expect(confirmed).toMatchObject({
    status: 200,
    body: { location: { network: '127.0.1.0/24', verified: true } },
  });
  expect(await locationOf(host)).toEqual({ network: '127.0.1.0/24', verified: true });
  expect((await audit(host))[0]).toBe('locationVerified admin:api');
  await moved.unregister();
  await moved.unplug();
});

test('the test number says that nobody has confirmed the address; a new one confirms it', async () => {
  const host = PHONES.reception;
  const brief = {
    customerName: 'B',
    houseNumber: '7',
    street: 'O',
    city: 'Y',
    postcode: 'M1 1AE',
    country: 'GB',
  };
  await hotdesk().api(path(host), { method: 'PATCH', json: { address: brief } });
  await hotdesk().phone(host);
  await expectLocation(host, '127.0.0.0/24', true);
  const moved = await elsewhere(host, '127.0.2.9');
  await moved.register();
  await expectLocation(host, '127.0.2.0/24', false);
  const call = await moved.call('933');
  await call.answered;
  await call.heard('address-not-confirmed', 40_000);
  await call.hangUp();

  const json = { address: { ...brief, room: '11' } };
  await hotdesk().api(path(host), { method: 'PATCH', json });
  await expectLocation(host, '127.0.2.0/24', true);
  await moved.unregister();
  await moved.unplug();
});
