import { describe, expect, test } from 'vitest';
import { captureConsole, createLogger, type Logger } from '../../src/log.ts';
import { scrubText, scrubValue } from '../../src/scrub.ts';

const PIN = '583914';
const RESPONSE = '6629fae49393a05397450978507c4ef1';
const NONCE = 'dcd98b7102dd2f0e8b11d0f600bfb0c093';
const TOKEN = 'canary-token-0123456789';
const DIALLED = '1001583914';
/** What may be in no line, whatever was logged. */
const CANARIES = [PIN, RESPONSE, NONCE, TOKEN, '83914', '5 8 3', '5","8', "'5', '8'"];

const AUTHORIZATION =
  `Digest username="cp1", realm="hotdesk",\r\n nonce="${NONCE}",\r\n\turi="sip:x", response="${RESPONSE}", ` +
  `cnonce="${NONCE}"`;
const REGISTER = `REGISTER sip:hotdesk SIP/2.0\r\nAuthorization: ${AUTHORIZATION}\r\nCSeq: 2 REGISTER\r\n\r\n`;
const INFO = `INFO sip:x SIP/2.0\r\nContent-Type: application/dtmf-relay\r\n\r\nSignal=${PIN}\r\nDuration=160\r\n`;
const BARE_INFO = `INFO sip:x SIP/2.0\r\nContent-Type: application/dtmf\r\n\r\n${PIN}`;

function deep(levels: number, leaf: object): object {
  return levels === 0 ? leaf : { next: deep(levels - 1, leaf) };
}

function circular(): object {
  const call: Record<string, unknown> = { pin: PIN };
  call.self = call;
  return call;
}

class Session {
  readonly collected = PIN;
  toJSON(): object {
    return { passcode: PIN, note: `typed ${PIN}` };
  }
}

/** Every way a secret was seen to reach a log, or may. */
const PATHS: Record<string, (log: Logger) => void> = {
  'plain key': (log) => log.info({ pin: PIN }),
  'key in any case': (log) => log.info({ PIN, Passcode: PIN, 'Proxy-Authorization': AUTHORIZATION }),
  'secret word inside a key': (log) => log.info({ adminToken: TOKEN, guest_pin: PIN, portalPassword: PIN }),
  'number under a secret key': (log) => log.info({ pin: Number(PIN) }),
  'deep key': (log) => log.info(deep(6, { digits: PIN })),
  'below the depth limit': (log) => log.info(deep(12, { harmless: PIN })),
  'digit array': (log) => log.info({ keys: [...PIN] }),
  'digit array under its name': (log) => log.info({ digits: [...PIN] }),
  'digit numbers': (log) => log.info({ keys: [...PIN].map(Number) }),
  map: (log) => log.info({ fields: new Map([['pin', PIN]]) }),
  set: (log) => log.info({ fields: new Set([`PIN ${PIN}`]) }),
  buffer: (log) => log.info({ body: Buffer.from(PIN) }),
  toJSON: (log) => log.info({ session: new Session() }),
  circular: (log) => log.info({ call: circular() }),
  'message text': (log) => log.info(`wrong PIN ${PIN} typed`),
  'message with values': (log) => log.info('typed %s at %s', PIN, 'desk'),
  'message with an object': (log) => log.info('call %o', { pin: PIN, digits: [...PIN] }),
  'values after an object': (log) => log.info({ host: 'cp1' }, 'PIN is %d', Number(PIN)),
  'spaced digits': (log) => log.info(`digits: ${[...PIN].join(' ')}`),
  'JSON in text': (log) => log.info(JSON.stringify({ pin: PIN, digits: [...PIN], password: TOKEN })),
  'JSON in JSON': (log) =>
    log.info(JSON.stringify({ body: JSON.stringify({ passcode: PIN, token: TOKEN }) })),
  'error message': (log) => log.error(new Error(`bad passcode ${PIN}`)),
  'error as err': (log) => log.error({ err: new Error(`typed ${PIN}`) }, 'failed'),
  'error cause': (log) => log.error(new Error('outer', { cause: new Error(`code ${PIN}`) })),
  'error property': (log) =>
    log.error(Object.assign(new Error('x'), { request: { pin: PIN, raw: REGISTER } })),
  'raw SIP': (log) => log.debug({ raw: REGISTER }),
  'raw SIP in the message': (log) => log.debug(REGISTER),
  'raw SIP in JSON text': (log) => log.debug(JSON.stringify(REGISTER)),
  'DTMF relay body': (log) => log.debug({ raw: INFO }),
  'DTMF body': (log) => log.debug({ raw: BARE_INFO }),
  'DTMF body alone': (log) => log.debug({ body: `Signal=${PIN}\r\nDuration=160` }),
  'hoteling in raw SIP': (log) =>
    log.debug(
      `NOTIFY sip:x SIP/2.0\r\n\r\n<a><nonce>${NONCE}</nonce><h:response xmlns:h="x">\n${RESPONSE}</h:response></a>`,
    ),
  'digest values in JSON text': (log) => log.info(JSON.stringify({ response: RESPONSE, nonce: NONCE })),
  'header value': (log) => log.info({ value: AUTHORIZATION }),
  'challenge value': (log) => log.info(`WWW-Authenticate: Digest nonce="${NONCE}"`),
  'bearer token': (log) => log.info({ header: `Bearer ${TOKEN}` }),
  'URL password': (log) => log.info(`connecting to redis://default:${TOKEN}@127.0.0.1:6379`),
  'dialled after the code': (log) => log.info({ to: `sip:*90${DIALLED}@hotdesk` }),
  'dialled, escaped': (log) => log.info(`INVITE sip:%2A90${DIALLED}@hotdesk SIP/2.0`),
  'secret in a key': (log) => log.info({ [`pin=${PIN}`]: true }),
  'child bindings': (log) => log.child({ pin: PIN, raw: REGISTER }).info('x'),
  'child of a child': (log) =>
    log
      .child({})
      .child({ digits: [...PIN] })
      .info('x'),
  'bindings set later': (log) => {
    const child = log.child({});
    child.setBindings({ passcode: PIN });
    child.info('x');
  },
};

function logged(write: (log: Logger) => void, pretty: 'always' | 'never' = 'never'): string {
  const lines: string[] = [];
  write(createLogger({ level: 'trace', pretty }, { write: (line) => void lines.push(line) }));
  return lines.join('');
}

describe.each(['never', 'always'] as const)('secrets, pretty: %s', (pretty) => {
  test.each(Object.entries(PATHS))('%s', (_name, write) => {
    const output = logged(write, pretty);
    expect(output).not.toBe('');
    for (const canary of CANARIES) expect(output).not.toContain(canary);
  });
});

test('what is no secret stays', () => {
  const output = logged((log) =>
    log.info(
      { host: 'cp0004f2000001', responseTime: 12, to: 'sip:*90@hotdesk', codes: [1, 4, 6, 8, 10] },
      'status code 404',
    ),
  );
  expect(JSON.parse(output)).toMatchObject({
    level: 'info',
    host: 'cp0004f2000001',
    responseTime: 12,
    to: 'sip:*90@hotdesk',
    codes: [1, 4, 6, 8, 10],
    msg: 'status code 404',
  });
});

test('octets are counted, not shown', () => {
  expect(scrubValue({ body: Buffer.from(PIN) })).toEqual({ body: '[6 octets]' });
});

test('an error keeps its type, message, stack, code and cause', () => {
  const error = Object.assign(new TypeError('no route', { cause: new Error('inner') }), {
    code: 'EHOSTUNREACH',
  });
  const line = JSON.parse(logged((log) => log.error(error)));
  expect(line.msg).toBe('no route');
  expect(line.err).toMatchObject({ type: 'TypeError', message: 'no route', code: 'EHOSTUNREACH' });
  expect(line.err.stack).toContain('log.test.ts');
  expect(line.err.cause.message).toBe('inner');
});

test('a message around a header keeps its other lines', () => {
  expect(scrubText(REGISTER)).toBe(
    'REGISTER sip:hotdesk SIP/2.0\r\nAuthorization: [scrubbed]\r\nCSeq: 2 REGISTER\r\n\r\n',
  );
});

test('the walk is bounded, and a value that cannot be read does not throw', () => {
  const wide = Array.from({ length: 50_000 }, (_, index) => ({ index }));
  expect(JSON.stringify(scrubValue(wide)).length).toBeLessThan(10_000);
  const tree = (depth: number): object =>
    depth === 0 ? {} : Array.from({ length: 20 }, () => tree(depth - 1));
  expect(JSON.stringify(scrubValue(tree(4))).length).toBeLessThan(50_000);
  expect(scrubText('x'.repeat(100_000)).length).toBeLessThan(40_000);
  const broken = {
    get value(): string {
      throw new Error(PIN);
    },
  };
  expect(scrubValue(broken)).toBe('[unreadable]');
  expect(logged((log) => log.info(broken, 'still said'))).toContain('still said');
});

test('hostile text of log size is scrubbed in linear time', () => {
  const texts = [
    'a-',
    'pin',
    'pin: ',
    'authorization:\r\n ',
    'digits 1 ',
    '//a:',
    '*90',
    'code ',
    '\\r\\n ',
    'typed ',
  ];
  for (const text of texts) {
    const started = performance.now();
    scrubText(text.repeat(Math.ceil(64_000 / text.length)));
    expect(performance.now() - started, text).toBeLessThan(500);
  }
});

test('what libraries print to the console goes through the scrub, and the console comes back', () => {
  const target = { ...globalThis.console } as Console;
  const before = target.error;
  const output = logged((log) => {
    const restore = captureConsole(log, target);
    target.error(new Error(`typed ${PIN}`), `unable to parse incoming message: ${REGISTER}`);
    target.log('PIN %s', PIN);
    target.warn({ pin: PIN });
    restore();
  });
  expect(output.trim().split('\n')).toHaveLength(3);
  expect(output).toContain('unable to parse incoming message');
  expect(output).toContain('"source":"console"');
  for (const canary of CANARIES) expect(output).not.toContain(canary);
  expect(target.error).toBe(before);
});
