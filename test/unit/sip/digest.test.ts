import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { digestSecrets } from '../../../src/services/digest-secrets.ts';
import { DigestServer, parseCredentials } from '../../../src/sip/digest.ts';

const BOTH = ['SHA-256', 'MD5'] as const;

const REALM = 'hotdesk.test';
const secrets = digestSecrets('d1', REALM, 'secret');
let now = 0;
let server: DigestServer;

beforeEach(() => {
  now = 1_700_000_000_000;
  server = new DigestServer({ realm: REALM, nonceLifetime: 30, now: () => now });
});

type Algorithm = 'MD5' | 'SHA-256';

interface Answer {
  readonly challenge?: string;
  readonly nc?: string;
  readonly password?: string;
  readonly algorithm?: Algorithm;
  readonly qop?: boolean;
  readonly realm?: string;
}

function h(algorithm: Algorithm, text: string): string {
  return createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
    .update(text)
    .digest('hex');
}

/** The Authorization a phone would send. */
function answer(differs: Answer = {}): string {
  const {
    challenge = server.challenge(BOTH, { stale: false }),
    nc = '00000001',
    password = 'secret',
    qop = true,
  } = differs;
  const { algorithm = 'MD5', realm = REALM } = differs;
  const nonce = /nonce="([^"]*)"/.exec(challenge)?.[1] ?? '';
  const ha1 = h(algorithm, `d1:${realm}:${password}`);
  const ha2 = h(algorithm, `REGISTER:sip:${REALM}`);
  const middle = qop ? `${nonce}:${nc}:c:auth` : nonce;
  const response = h(algorithm, `${ha1}:${middle}:${ha2}`);
  const count = qop ? `, qop=auth, nc=${nc}, cnonce="c"` : '';
  return `Digest username="d1", realm="${realm}", nonce="${nonce}", uri="sip:${REALM}", response="${response}", algorithm=${algorithm}${count}`;
}

function verify(header: string, known = true): string {
  const credentials = parseCredentials(header, REALM);
  return credentials ? server.verify('REGISTER', credentials, known ? secrets : undefined) : 'none';
}

/** RFC 7616 3.9.1 (its own realm, so the nonce is none of ours: right, but stale). */
describe('the examples of RFC 7616 3.9.1', () => {
  const realm = 'http-auth@example.org';
  const common = `username="Mufasa", realm="${realm}", uri="/dir/index.html", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`;
  const mufasa = digestSecrets('Mufasa', realm, 'Circle of Life');
  const rfc = new DigestServer({ realm, nonceLifetime: 30, now: () => now });

  test.each([
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ])('%s', (algorithm, response) => {
    const credentials = parseCredentials(`Digest ${common}, algorithm=${algorithm}, response="${response}"`)!;
    expect(rfc.verify('GET', credentials, mufasa)).toBe('stale');
    const last = response.endsWith('0') ? '1' : '0';
    const wrong = { ...credentials, response: response.slice(0, -1) + last };
    expect(rfc.verify('GET', wrong, mufasa)).toBe('wrong');
  });
});

describe('a challenge', () => {
  test('offers SHA-256 first, then MD5, as two header lines with one nonce', () => {
    const [first, second, ...rest] = server.challenge(BOTH, { stale: false }).split('\r\n');
    expect(rest).toEqual([]);
    expect(first).toMatch(/^Digest realm="hotdesk\.test", nonce="[^"]+", algorithm=SHA-256, qop="auth"$/);
    expect(second).toMatch(/^WWW-Authenticate: Digest realm="hotdesk\.test", .*algorithm=MD5, qop="auth"$/);
  });

  test('says stale when asked to', () => {
    expect(server.challenge(BOTH, { stale: true }).match(/stale=true/g)).toHaveLength(2);
    expect(server.challenge(BOTH, { stale: false })).not.toContain('stale');
  });
});

describe('an answer', () => {
  test.each(['MD5', 'SHA-256'] as const)('by %s is accepted', (algorithm) => {
    expect(verify(answer({ algorithm }))).toBe('accepted');
  });

  test('without qop (RFC 2069) is accepted once', () => {
    const header = answer({ qop: false });
    expect(verify(header)).toBe('accepted');
    expect(verify(header)).toBe('stale');
  });

  test('with the wrong password is wrong', () => {
    expect(verify(answer({ password: 'guess' }))).toBe('wrong');
  });

  test('of a user nobody knows is wrong, whatever the password', () => {
    expect(verify(answer(), false)).toBe('wrong');
  });

  test('of a user nobody knows cannot be made from what stands in for the secret', () => {
    const nonce = /nonce="([^"]*)"/.exec(server.challenge(BOTH, { stale: false }))?.[1] ?? '';
    const middle = `${h('MD5', nonce)}:${nonce}:00000001:c:auth`;
    const response = h('MD5', `${middle}:${h('MD5', `REGISTER:sip:${REALM}`)}`);
    const header = `Digest username="x", realm="${REALM}", nonce="${nonce}", uri="sip:${REALM}", response="${response}", qop=auth, nc=00000001, cnonce="c"`;
    expect(verify(header, false)).toBe('wrong');
  });

  test('is good for its method only', () => {
    const credentials = parseCredentials(answer())!;
    expect(server.verify('INVITE', credentials, secrets)).toBe('wrong');
  });
});

describe('a nonce', () => {
  test('counts up; a replay and a lower count are stale', () => {
    const challenge = server.challenge(BOTH, { stale: false });
    expect(verify(answer({ challenge, nc: '00000001' }))).toBe('accepted');
    expect(verify(answer({ challenge, nc: '00000001' }))).toBe('stale');
    expect(verify(answer({ challenge, nc: '0000000a' }))).toBe('accepted');
    expect(verify(answer({ challenge, nc: '00000009' }))).toBe('stale');
    expect(verify(answer({ challenge, nc: '0000000b' }))).toBe('accepted');
  });

  test('grows old', () => {
    const challenge = server.challenge(BOTH, { stale: false });
    now += 30_000;
    expect(verify(answer({ challenge, nc: '00000001' }))).toBe('accepted');
    now += 1;
    expect(verify(answer({ challenge, nc: '00000002' }))).toBe('stale');
  });

  test('of another server, or from before a restart, is stale', () => {
    const other = new DigestServer({ realm: REALM, nonceLifetime: 30, now: () => now });
    expect(verify(answer({ challenge: other.challenge(BOTH, { stale: false }) }))).toBe('stale');
  });

  test.each(['zz', '', '-1', '0'])('with the count %j is stale', (nc) => {
    expect(verify(answer({ nc }))).not.toBe('accepted');
  });

  test('of the future, or no time at all, is stale', () => {
    const challenge = server.challenge(BOTH, { stale: false });
    now -= 1;
    expect(verify(answer({ challenge }))).toBe('stale');
    expect(verify(answer({ challenge: 'nonce="x.y"' }))).toBe('stale');
  });

  test('a table full of live ones takes no more; it empties with their lifetime', () => {
    server = new DigestServer({ realm: REALM, nonceLifetime: 30, now: () => now, maxUsedNonces: 2 });
    const first = server.challenge(BOTH, { stale: false });
    expect(verify(answer({ challenge: first }))).toBe('accepted');
    expect(verify(answer())).toBe('accepted');
    expect(verify(answer())).toBe('stale');
    expect(verify(answer({ challenge: first, nc: '00000002' }))).toBe('accepted');
    now += 30_001;
    expect(verify(answer())).toBe('accepted');
  });
});

describe('reading an Authorization', () => {
  test('quotes, escapes, order and case do not matter', () => {
    const text = String.raw`DIGEST Response="r" , URI = "sip:a,b" ,nonce=n,REALM="a \"b\"",UserName=u , algorithm=sha-256`;
    expect(parseCredentials(text)).toEqual({
      username: 'u',
      realm: 'a "b"',
      nonce: 'n',
      uri: 'sip:a,b',
      response: 'r',
      algorithm: 'SHA-256',
      qop: undefined,
      nc: undefined,
      cnonce: undefined,
    });
  });

  test.each(['', 'Basic dTpw', 'Digest', 'Digest username="u"', 'Digest realm=x, algorithm=MD5-sess'])(
    '%j is none',
    (text) => expect(parseCredentials(text)).toBeUndefined(),
  );

  test('an algorithm we never offered is none', () => {
    expect(parseCredentials(answer().replace('algorithm=MD5', 'algorithm=constructor'))).toBeUndefined();
  });

  test('of several answers, joined by drachtio-srf, the one for our realm counts', () => {
    const ours = answer();
    const theirs = answer({ realm: 'elsewhere.test', algorithm: 'SHA-256' });
    expect(verify(`${theirs},${ours}`)).toBe('accepted');
    expect(verify(`${answer()},${theirs}`)).toBe('accepted');
    expect(verify(theirs)).toBe('none');
  });

  test('nothing makes it throw, nor takes it long', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseCredentials(`Digest ${text}`)));
    const started = performance.now();
    for (const long of ['a', ' ', 'digest ', 'a="', 'a=\\', '"\\'])
      parseCredentials(`Digest ${long.repeat(60_000)}`);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe('the place a nonce was given to', () => {
  test('is known, and cannot be made up', () => {
    const nonce = /nonce="([^"]*)"/.exec(server.challenge(BOTH, { stale: false, source: '192.0.2.1' }))?.[1];
    expect(server.wasGivenTo(nonce!, '192.0.2.1')).toBe(true);
    expect(server.wasGivenTo(nonce!, '192.0.2.2')).toBe(false);
    expect(server.wasGivenTo(nonce!.replace(/.$/, '.'), '192.0.2.2')).toBe(false);
    for (const made of ['', '...', 'a.b.c.d', 'a.b', nonce!.split('.').slice(0, 2).join('.')]) {
      expect(server.wasGivenTo(made, '192.0.2.1')).toBe(false);
    }
  });
});
