import { afterEach, describe, expect, test } from 'vitest';
import { PHONES, passwordOf } from '../support/demo.ts';
import {
  type Algorithm,
  authorization,
  type Challenge,
  challengeOf,
  HandWritten,
} from '../support/digest-client.ts';
import { DOMAIN } from '../support/hotdesk.ts';
import type { SipText } from '../support/sip-text.ts';
import { useHotdesk } from '../support/suite.ts';

/** RFC 3261 10.3 and RFC 8760 over the wire, by requests written by hand. */

const hotdesk = useHotdesk({ settings: { sip: { nonceLifetime: 5 } } });
const USER = PHONES.window;
let client: HandWritten | undefined;

afterEach(async () => {
  if (!client) return;
  await register(['Contact: *', 'Expires: 0'], { callId: 'tidy-up' });
  await client.close();
  client = undefined;
});

describe('RFC 3261 10.3: bindings', () => {
  test('several contacts, all in the answer, best q first', async () => {
    const answer = await register([
      'Contact: <sip:a@127.0.0.1:5081>;q=0.3;expires=300, <sip:b@127.0.0.1:5082>;q=0.9;expires=600',
    ]);
    expect(answer.status).toBe(200);
    expect(contactsOf(answer)).toEqual(['sip:b@127.0.0.1:5082', 'sip:a@127.0.0.1:5081']);
    expect(answer.header('Date')).toMatch(/GMT$/);
  });

  test('a query changes nothing and tells all', async () => {
    await register(['Contact: <sip:a@127.0.0.1:5081>', 'Expires: 300']);
    const answer = await register([]);
    expect(contactsOf(answer)).toEqual(['sip:a@127.0.0.1:5081']);
    const [, left] = /expires=(\d+)/.exec(answer.header('Contact')) ?? [];
    expect(Number(left)).toBeGreaterThan(295);
    expect(Number(left)).toBeLessThanOrEqual(300);
  });

  test('the same contact again is one binding', async () => {
    await register(['Contact: <sip:a@127.0.0.1:5081>']);
    const answer = await register(['Contact: <sip:a@127.0.0.1:5081>']);
    expect(contactsOf(answer)).toEqual(['sip:a@127.0.0.1:5081']);
  });

  test('expires=0 removes one contact, * removes all', async () => {
    await register(['Contact: <sip:a@127.0.0.1:5081>, <sip:b@127.0.0.1:5082>']);
    const one = await register(['Contact: <sip:a@127.0.0.1:5081>;expires=0']);
    expect(contactsOf(one)).toEqual(['sip:b@127.0.0.1:5082']);
    const none = await register(['Contact: *', 'Expires: 0']);
    expect(none.status).toBe(200);
    expect(contactsOf(none)).toEqual([]);
  });

  test('* with another Expires is 400', async () => {
    expect((await register(['Contact: *', 'Expires: 60'])).status).toBe(400);
  });

  test('too short a wish is 423 with Min-Expires; too long a wish is cut', async () => {
    const brief = await register(['Contact: <sip:a@127.0.0.1:5081>', 'Expires: 5']);
    expect(brief.status).toBe(423);
    expect(brief.header('Min-Expires')).toBe('60');
    const long = await register(['Contact: <sip:a@127.0.0.1:5081>', 'Expires: 999999']);
    expect(long.header('Contact')).toContain('expires=3600');
  });

  test('an older CSeq of the same Call-ID is out of order and changes nothing', async () => {
    await register(['Contact: <sip:a@127.0.0.1:5081>'], { cseq: 50 });
    const late = await register(['Contact: <sip:a@127.0.0.1:5081>;expires=0'], { cseq: 40 });
    expect(late.status).toBe(500);
    expect(contactsOf(await register([], { cseq: 60 }))).toEqual(['sip:a@127.0.0.1:5081']);
  });

  test('one contact too many: 403, and none of the request is carried out', async () => {
    const six = [1, 2, 3, 4, 5, 6].map((n) => `<sip:a@127.0.0.1:508${n}>`).join(', ');
    expect((await register([`Contact: ${six}`])).status).toBe(403);
    expect(contactsOf(await register([]))).toEqual([]);
  });

  test('a sixth contact takes the place of the one that expires first', async () => {
    for (const n of [1, 2, 3, 4, 5]) {
      await register([`Contact: <sip:a@127.0.0.1:508${n}>;expires=${n === 3 ? 200 : 300}`]);
    }
    const answer = await register(['Contact: <sip:a@127.0.0.1:5086>;expires=300']);
    expect(answer.status).toBe(200);
    expect(contactsOf(answer)).toEqual([1, 2, 4, 5, 6].map((n) => `sip:a@127.0.0.1:508${n}`));
  });

  test('another phone’s address cannot be registered', async () => {
    const phone = await by('udp');
    const challenge = challengeOf(await phone.request('REGISTER', { user: PHONES.leeds }), 'MD5');
    const answer = await phone.request('REGISTER', {
      user: PHONES.leeds,
      lines: [`Authorization: ${prove(challenge)}`, 'Contact: <sip:a@127.0.0.1:5081>'],
    });
    expect(answer.status).toBe(403);
  });

  test('an unknown required extension is 420 and named', async () => {
    const answer = await register(['Require: not-invented', 'Contact: <sip:a@127.0.0.1:5081>']);
    expect(answer.status).toBe(420);
    expect(answer.header('Unsupported')).toBe('not-invented');
  });

  test('over TCP as over UDP', async () => {
    await by('tcp');
    const answer = await register(['Contact: <sip:a@127.0.0.1:5081;transport=tcp>']);
    expect(contactsOf(answer)).toEqual(['sip:a@127.0.0.1:5081;transport=tcp']);
  });
});

describe('RFC 8760: authentication', () => {
  test('SHA-256 is offered, and MD5 for phones that have nothing else, each in a line of its own', async () => {
    const phone = await by('udp');
    const { status, ...answer } = await challengedBy(phone);
    expect(status).toBe(401);
    expect(answer.algorithms.toSorted()).toEqual(['MD5', 'SHA-256']);
  });

  test.each<Algorithm>(['SHA-256', 'MD5'])('%s is accepted', async (algorithm) => {
    expect((await register(['Contact: <sip:a@127.0.0.1:5081>'], { algorithm })).status).toBe(200);
  });

  test('a replayed request is challenged again, as stale', async () => {
    const phone = await by('udp');
    const challenge = challengeOf(await phone.request('REGISTER', { user: USER }), 'MD5');
    const lines = [`Authorization: ${prove(challenge)}`, 'Contact: <sip:a@127.0.0.1:5081>'];
    expect((await phone.request('REGISTER', { user: USER, lines })).status).toBe(200);
    const replay = await phone.request('REGISTER', { user: USER, lines });
    expect(replay.status).toBe(401);
    expect(challengeOf(replay, 'MD5').stale).toBe(true);
  });

  test('a phone that counts up may use its nonce again', async () => {
    const phone = await by('udp');
    const challenge = challengeOf(await phone.request('REGISTER', { user: USER }), 'MD5');
    for (const count of [1, 2, 3]) {
      const lines = [`Authorization: ${prove(challenge, { count })}`, 'Contact: <sip:a@127.0.0.1:5081>'];
      expect((await phone.request('REGISTER', { user: USER, lines })).status).toBe(200);
    }
  });

  test('an old nonce is stale: the phone tries again without asking anybody for the password', async () => {
    const phone = await by('udp');
    const challenge = challengeOf(await phone.request('REGISTER', { user: USER }), 'MD5');
    await new Promise((resolve) => setTimeout(resolve, 5200));
    const lines = [`Authorization: ${prove(challenge)}`];
    const answer = await phone.request('REGISTER', { user: USER, lines });
    expect(answer.status).toBe(401);
    const fresh = challengeOf(answer, 'MD5');
    expect(fresh.stale).toBe(true);
    const again = [`Authorization: ${prove(fresh)}`];
    expect((await phone.request('REGISTER', { user: USER, lines: again })).status).toBe(200);
  });

  test('a nonce nobody gave out is challenged, a wrong password is 403', async () => {
    const phone = await by('udp');
    const challenge = challengeOf(await phone.request('REGISTER', { user: USER }), 'MD5');
    const made = { ...challenge, nonce: 'abc.def' };
    const forged = await phone.request('REGISTER', {
      user: USER,
      lines: [`Authorization: ${prove(made)}`],
    });
    expect(forged.status).toBe(401);
    const wrong = await phone.request('REGISTER', {
      user: USER,
      lines: [`Authorization: ${prove(challenge, { password: 'guess' })}`],
    });
    expect(wrong.status).toBe(403);
  });

  test('OPTIONS needs no password and says what the server can do', async () => {
    const phone = await by('udp');
    const answer = await phone.request('OPTIONS', { user: USER });
    expect(answer.status).toBe(200);
    expect(answer.header('Allow')).toContain('INVITE');
  });
});

async function by(protocol: 'udp' | 'tcp'): Promise<HandWritten> {
  client ??= await HandWritten.open(protocol, hotdesk().sip[protocol], DOMAIN);
  return client;
}

/** A REGISTER with these lines, authenticated with a fresh nonce. */
async function register(
  lines: readonly string[],
  options: { algorithm?: Algorithm; callId?: string; cseq?: number } = {},
): Promise<SipText> {
  const { algorithm = 'MD5', ...rest } = options;
  const phone = await by('udp');
  const challenge = challengeOf(await phone.request('REGISTER', { user: USER, callId: 'ask' }), algorithm);
  return phone.request('REGISTER', {
    user: USER,
    lines: [`Authorization: ${prove(challenge)}`, ...lines],
    ...rest,
  });
}

function prove(challenge: Challenge, how: { password?: string; count?: number } = {}): string {
  const { password = passwordOf(USER), count = 1 } = how;
  return authorization({ user: USER, password, method: 'REGISTER', uri: `sip:${DOMAIN}`, challenge, count });
}

async function challengedBy(
  phone: HandWritten,
): Promise<{ status: number | undefined; algorithms: string[] }> {
  const answer = await phone.request('REGISTER', { user: USER });
  const algorithms = answer
    .headers('WWW-Authenticate')
    .map((line) => /algorithm="?([\w-]+)/.exec(line)?.[1] ?? '');
  return { status: answer.status, algorithms };
}

function contactsOf(answer: SipText): string[] {
  const all = answer.headers('Contact').join(', ');
  return [...all.matchAll(/<([^>]*)>/g)].map(([, uri]) => uri as string);
}
