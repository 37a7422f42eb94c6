import { afterEach, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { PEOPLE, PHONES } from '../../support/demo.ts';
import { ADMIN_TOKEN } from '../../support/hotdesk.ts';
import { RawDialog, RawSipPeer } from '../../support/raw-sip-peer.ts';
import { Subscriber, tellMailbox } from '../../support/subscriber.ts';
import { useHotdesk } from '../../support/suite.ts';
import { eventually } from '../../support/wait.ts';

/** RFC 6665 on the wire, with message-summary for the package. */

/** What a drachtio-server answers itself, bears otherwise, or sends down the connection there was. */
const testWithEngine = test.runIf(process.env.DRACHTIO_HOST === undefined);

const hotdesk = useHotdesk();
const { first } = PEOPLE;
const HOST = PHONES.reception;
const PBX = '127.0.0.2';

const open: Subscriber[] = [];
let messages = 100;

afterEach(async () => {
  for (const one of open) await one.subscribe({ expires: 0 }).catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await Promise.all(open.splice(0).map((one) => one.close()));
});

async function subscriber(options: Partial<Parameters<typeof Subscriber.open>[1]> = {}): Promise<Subscriber> {
  const to = hotdesk().sip[options.protocol ?? 'udp'];
  const one = await Subscriber.open(to, { user: HOST, ...options });
  open.push(one);
  return one;
}

/** The mailbox of who sits there gets so many messages as it never had. */
async function lampChanges(): Promise<number> {
  messages++;
  await tellMailbox(hotdesk().sip.udp, first.extension, messages, PBX);
  return messages;
}

function state(notify: { header(name: string): string }): string {
  return notify.header('Subscription-State');
}

describe.each(['udp', 'tcp'] as const)('a subscription over %s', (protocol) => {
  test('lives: granted, told, refreshed, told of changes, ended', async () => {
    await hotdesk().seat(first.extension, HOST);
    const phone = await subscriber({ protocol });
    const granted = await phone.subscribe({ expires: 600, headers: [['Event', 'message-summary;id=5']] });
    expect([granted.status, granted.header('Expires')]).toEqual([200, '600']);
    expect(granted.header('Allow-Events')).toMatch(/message-summary.*refer/);
    expect(granted.contact).toContain('sip:127.0.0.1:');
    const initial = await phone.notified();
    expect(state(initial)).toMatch(/^active;expires=(600|599)$/);
    expect(initial.header('Event')).toBe('message-summary;id=5');
    expect(initial.contact).not.toBe('');
    expect(initial.tag('From')).toBe(granted.tag('To'));
    expect(initial.uri).toContain(`${phone.peer.port}`);

    const count = await lampChanges();
    const changed = await phone.notified();
    expect(changed.body).toContain(`Voice-Message: ${count}/0`);
    expect(changed.cseq).toBeGreaterThan(initial.cseq);

    const again = await phone.subscribe({ expires: 900, headers: [['Event', 'message-summary;id=5']] });
    expect([again.status, again.header('Expires')]).toEqual([200, '900']);
    expect((await phone.notified()).body).toBe(changed.body);

    const ended = await phone.subscribe({ expires: 0, headers: [['Event', 'message-summary;id=5']] });
    expect([ended.status, ended.header('Expires')]).toEqual([200, '0']);
    expect(state(await phone.notified())).toBe('terminated;reason=timeout');
    await lampChanges();
    expect((await phone.subscribe()).status).toBe(481);
    expect(phone.notifies).toHaveLength(4);
  });

  test('a look: one NOTIFY', async () => {
    const phone = await subscriber({ protocol });
    expect((await phone.subscribe({ expires: 0 })).status).toBe(200);
    expect(state(await phone.notified())).toBe('terminated;reason=timeout');
  });
});

describe('is refused', () => {
  test.each<[string, Parameters<Subscriber['subscribe']>[0], number, string, string]>([
    ['an unknown event', { headers: [['Event', 'presence']] }, 489, 'Allow-Events', 'message-summary'],
    ['too short a time', { expires: 10 }, 423, 'Min-Expires', '60'],
    [
      'another taste',
      { headers: [['Accept', 'text/html']] },
      406,
      'Accept',
      'application/simple-message-summary',
    ],
    ['an unknown extension', { headers: [['Require', 'eventlist']] }, 420, 'Unsupported', 'eventlist'],
  ])('%s', async (_what, options, status, header, value) => {
    const answer = await (await subscriber()).subscribe(options);
    expect(answer.status).toBe(status);
    expect(answer.header(header)).toContain(value);
  });

  testWithEngine('no event at all', async () => {
    const phone = await subscriber({ event: '' });
    expect((await phone.subscribe()).status).toBe(489);
  });

  test('what is not theirs', async () => {
    expect((await (await subscriber({ resource: PHONES.window })).subscribe()).status).toBe(403);
  });

  testWithEngine('a dialog nobody knows, whatever is asked in it: 481', async () => {
    const peer = await RawSipPeer.open({ to: hotdesk().sip.udp });
    for (const method of ['SUBSCRIBE', 'NOTIFY', 'OPTIONS', 'INFO', 'MESSAGE', 'REFER', 'INVITE', 'BYE']) {
      const dialog = new RawDialog(peer, `sip:${HOST}@hotdesk.example`);
      dialog.remoteTag = 'unheard-of';
      dialog.send(method, { headers: [['Event', 'message-summary']] });
      const answer = await peer.next((one) => one.cseqMethod === method && one.status >= 200);
      expect([method, answer.status]).toEqual([method, 481]);
    }
    await peer.close();
  });

  test('a stranger’s refresh of somebody else’s subscription', async () => {
    const phone = await subscriber();
    expect((await phone.subscribe()).status).toBe(200);
    const thief = await subscriber({ user: PHONES.window });
    Object.assign(thief.dialog, { remoteTag: phone.dialog.remoteTag, target: phone.dialog.target });
    const stolen = new RawDialog(thief.peer, phone.dialog.target);
    Object.assign(stolen, { callId: phone.dialog.callId, localTag: phone.dialog.localTag, seq: 50 });
    stolen.remoteTag = phone.dialog.remoteTag;
    thief.dialog = stolen;
    expect((await thief.subscribe({ expires: 0 })).status).toBe(403);
    // The CSeq of the attempt counts (RFC 3261 12.2.2).
    phone.dialog.seq = 60;
    expect((await phone.subscribe({ expires: 600 })).status).toBe(200);
  });
});

describe('NOTIFYs', () => {
  test('one at a time, in order, four a second at most, the last one true', async () => {
    await hotdesk().seat(first.extension, HOST);
    const phone = await subscriber();
    await phone.subscribe();
    await phone.notified();
    const begin = Date.now();
    let last = 0;
    for (let n = 0; n < 12; n++) last = await lampChanges();
    await eventually('the last state', () =>
      phone.notifies.at(-1)?.body.includes(`Voice-Message: ${last}/0`),
    );
    const seconds = (Date.now() - begin) / 1000;
    expect(phone.notifies.length).toBeLessThanOrEqual(3 + seconds * 4);
    const cseqs = phone.notifies.map(({ cseq }) => cseq);
    expect(cseqs).toEqual(cseqs.toSorted((a, b) => a - b));
  });

  test('481 from the phone ends the subscription', async () => {
    await hotdesk().seat(first.extension, HOST);
    const phone = await subscriber();
    await phone.subscribe();
    await phone.notified();
    phone.answers = { status: 481 };
    await lampChanges();
    await phone.notified();
    await eventually('the end', async () => (await phone.subscribe()).status === 481);
  });

  test('503 with Retry-After: again later', async () => {
    await hotdesk().seat(first.extension, HOST);
    const phone = await subscriber();
    await phone.subscribe();
    await phone.notified();
    phone.answers = { status: 503, headers: [['Retry-After', '1']] };
    await lampChanges();
    await phone.notified();
    phone.answers = { status: 200 };
    expect((await phone.notified()).body).toContain(`Voice-Message: ${messages}/0`);
  });

  testWithEngine('a phone that comes back over another connection is told there', async () => {
    await hotdesk().seat(first.extension, HOST);
    const phone = await subscriber({ protocol: 'tcp' });
    await phone.subscribe();
    await phone.notified();
    phone.peer.cut();
    const later = await subscriber({ protocol: 'tcp' });
    const { callId, localTag, remoteTag, target, seq } = phone.dialog;
    later.dialog = Object.assign(new RawDialog(later.peer, target, { from: `sip:${HOST}@hotdesk.example` }), {
      ...{ callId, localTag, remoteTag, seq },
      to: phone.dialog.to,
    });
    expect((await later.subscribe()).status).toBe(200);
    await later.notified();
    await lampChanges();
    expect((await later.notified()).body).toContain(`Voice-Message: ${messages}/0`);
    open.splice(open.indexOf(phone), 1);
    await phone.close();
  });
});

test('REGISTER and OPTIONS say what may be subscribed to', async () => {
  const phone = await hotdesk().unregistered(HOST);
  expect((await phone.register()).header('Allow-Events')).toMatch(/message-summary.*refer/);
});

testWithEngine(
  'a flood of one phone, which answers nothing: two hundred at most, and calls go through meanwhile',
  async () => {
    await hotdesk().seat(first.extension, HOST);
    const caller = await hotdesk().phone(HOST);
    const phones = await Promise.all(Array.from({ length: 240 }, () => subscriber()));
    for (const phone of phones) phone.answers = undefined;
    const flood = Promise.all(phones.map(async (phone) => (await phone.subscribe()).status));
    const call = await caller.call('01632960500');
    const far = await hotdesk().trunks.main.nextCall();
    await far.accept();
    await call.answered;
    await call.hangUp();
    const statuses = await flood;
    const granted = statuses.filter((status) => status === 200).length;
    expect(granted).toBeGreaterThanOrEqual(100);
    expect(granted).toBeLessThanOrEqual(200);
    expect(statuses.filter((status) => status === 503)).toHaveLength(240 - granted);
    for (const phone of phones) phone.answers = { status: 200 };
  },
);

test('a phone that leaves the directory: its subscription ends', async () => {
  const { body: all } = await hotdesk().api('/api/v1/directory');
  const directory = parse(all);
  const { [PHONES.leeds]: _gone, ...hosts } = directory.hosts;
  const phone = await subscriber({ user: PHONES.leeds });
  expect((await phone.subscribe()).status).toBe(200);
  await phone.notified();
  await putDirectory(stringify({ ...directory, hosts }));
  expect(state(await phone.notified())).toMatch(/^terminated;reason=(noresource|rejected)$/);
  await putDirectory(all);
});

async function putDirectory(body: string): Promise<void> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/yaml' };
  const answer = await fetch(`${hotdesk().http}/api/v1/directory`, { method: 'PUT', headers, body });
  if (!answer.ok) throw new Error(`the directory was refused: ${await answer.text()}`);
}
