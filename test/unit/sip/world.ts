import { createHash } from 'node:crypto';
import type { EmergencyRecord, EmergencyStage } from '../../../src/domain/emergency-record.ts';
import type { EmergencyRoute } from '../../../src/domain/route.ts';
import type { Recording } from '../../../src/media/media.ts';
import { digestSecrets } from '../../../src/services/digest-secrets.ts';
import type { LogInRequest } from '../../../src/services/hot-desk.ts';
import { createSipApp, type SipApp } from '../../../src/sip/app.ts';
import type { CallContext } from '../../../src/sip/calls/connect.ts';
import { Lines } from '../../../src/sip/calls/lines.ts';
import { CallTable } from '../../../src/sip/calls/table.ts';
import type { EmergencyDesk, Log, SipDependencies, Trunk } from '../../../src/sip/ports.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeMedia } from '../../support/fake-media.ts';
import { FakeRequest, FakeResponse, FakeSrf, settled } from '../../support/fake-sip.ts';
import { binding, directory, emergency, host, UK, viewOf } from '../domain/example.ts';

/** The SIP application over fakes, with the example company behind it. */

export const REALM = 'hotdesk.test';
export const OFFER = 'v=0\r\no=caller\r\nc=IN IP4 192.0.2.10\r\nm=audio 4000 RTP/AVP 8\r\n';
export const ANSWER = 'v=0\r\no=callee\r\nc=IN IP4 192.0.2.20\r\nm=audio 5000 RTP/AVP 8\r\n';

const secret = { digest: digestSecrets('d1', REALM, 'secret') };

export const acme = directory({
  hosts: [
    host('d1', { callbackNumber: '+442079460111', ...secret }),
    host('d2'),
    host('u1002', { kind: 'user', owner: '1002' }),
  ],
});

/** No event package, and nobody to tell of subscriptions. */
const noEvents: SipDependencies['events'] = {
  packages: [],
  shared: { get: () => undefined, entries: () => [], put: () => undefined, onChange: () => () => undefined },
  claimOnce: async () => true,
  node: 'test-1',
  storeNow: () => 0,
  onDirectoryChange: () => () => undefined,
};

export class TapeLog implements Log {
  readonly lines: { level: string; data: object; text: string }[] = [];
  debug = (data: object, text: string): void => void this.lines.push({ level: 'debug', data, text });
  info = (data: object, text: string): void => void this.lines.push({ level: 'info', data, text });
  warn = (data: object, text: string): void => void this.lines.push({ level: 'warn', data, text });
  error = (data: object, text: string): void => void this.lines.push({ level: 'error', data, text });

  errors(): string[] {
    return this.lines.filter(({ level }) => level === 'error').map(({ text }) => text);
  }
}

export function trunk(name: string, differs: Partial<Trunk> = {}): Trunk {
  return {
    name,
    uri: `sip:${name}.test:5060`,
    addresses: [],
    emergency: false,
    responseTimeout: 4,
    ...differs,
  };
}

export const PBX = trunk('pbx', { addresses: ['198.51.100.1'] });
export const SPARE = trunk('spare');
export const SOS = trunk('sos', { emergency: true, addresses: ['203.0.113.9'] });

/** Keeps what it is told. */
export class TapeDesk implements EmergencyDesk {
  readonly told: { stage: EmergencyStage; record: EmergencyRecord }[] = [];

  placed({ host: from, number, callbackNumber }: EmergencyRoute): EmergencyRecord {
    const record = emergency(from?.id ?? '', { number, host: from?.id, callbackNumber });
    this.told.push({ stage: 'placed', record });
    return record;
  }

  stage(record: EmergencyRecord, stage: Exclude<EmergencyStage, 'placed'>): void {
    this.told.push({ stage, record });
  }
}

export class World {
  readonly srf = new FakeSrf();
  readonly media = new FakeMedia();
  readonly clock = new FakeClock();
  readonly log = new TapeLog();
  readonly desk = new TapeDesk();
  /** Names of the trunks that are known to be down. */
  readonly downTrunks = new Set<string>();
  readonly logIns: LogInRequest[] = [];
  /** What the next log-ins answer. */
  logInAnswers: unknown[] = [];
  logOutAnswer: unknown = { refused: 'nobodyHere' };
  readonly identified: LogInRequest[] = [];
  identifyAnswers: unknown[] = [];
  /** What the voice portal asked for, in order. */
  readonly asked: (readonly [what: string, request: unknown])[] = [];
  associateAnswer: unknown = { refused: 'occupied' };
  leaveAnswer: unknown = { refused: 'nobodyHere' };
  /** Recorded names by extension. */
  readonly names = new Map<string, Recording>();
  registerAnswer: unknown = { contacts: [], set: { version: 1, bindings: [] } };
  readonly registered: unknown[] = [];
  readonly deps: SipDependencies;

  constructor(differs: Partial<SipDependencies> = {}) {
    this.deps = {
      emergencies: this.desk,
      events: noEvents,
      lines: new Lines(this.log),
      mailboxes: { learn: () => false, named: () => undefined },
      srf: this.srf.asSrf,
      view: viewOf({
        directory: acme,
        seats: { d1: '1001' },
        bindings: {
          d1: [binding('sip:d1@192.0.2.10:5060')],
          u1002: [
            binding('sip:u1002@192.0.2.21'),
            binding('sip:u1002@192.0.2.22', {
              flow: { protocol: 'tcp', address: '2001:db8::2', port: 5061 },
            }),
          ],
        },
      }),
      numberPlan: UK,
      hotDesk: {
        logIn: (async (request: LogInRequest) => {
          this.logIns.push(request);
          return this.logInAnswers.shift() ?? { refused: 'badCredentials' };
        }) as SipDependencies['hotDesk']['logIn'],
        logOut: (async () => this.logOutAnswer) as SipDependencies['hotDesk']['logOut'],
        identify: (async (request: LogInRequest) => {
          this.identified.push(request);
          return this.identifyAnswers.shift() ?? { refused: 'badCredentials' };
        }) as SipDependencies['hotDesk']['identify'],
        associateGuest: (async (request: unknown) => {
          this.asked.push(['associateGuest', request]);
          return this.associateAnswer;
        }) as SipDependencies['hotDesk']['associateGuest'],
        leave: (async (request: unknown) => {
          this.asked.push(['leave', request]);
          return this.leaveAnswer;
        }) as SipDependencies['hotDesk']['leave'],
      },
      names: {
        of: async (extension) => this.names.get(extension),
        keep: async ({ extension }, recording) => {
          this.names.set(extension, recording);
          return 'done';
        },
      },
      registrar: {
        register: (async (_aor: string, request: unknown) => {
          this.registered.push(request);
          return this.registerAnswer;
        }) as SipDependencies['registrar']['register'],
      },
      media: this.media,
      clock: this.clock,
      log: this.log,
      domain: REALM,
      trunks: [PBX, SPARE, SOS],
      trunkHealth: { isDown: (name) => this.downTrunks.has(name) },
      digests: ['MD5', 'SHA-256'],
      nonceLifetime: 30,
      maxCalls: 100,
      phoneSources: { includes: () => true },
      emergencyCallsPerSource: 50,
      ...differs,
    };
  }

  context(): CallContext {
    return { deps: this.deps, table: new CallTable(this.log, () => this.clock.now(), this.deps.lines) };
  }

  /** The whole application, ready for requests. */
  app(): SipApp {
    const app = createSipApp(this.deps);
    app.start();
    return app;
  }

  /** A request as from the network; the answer fills as the application goes on. */
  async receive(request: FakeRequest): Promise<FakeResponse> {
    const response = new FakeResponse();
    this.srf.handlers.get(request.method.toLowerCase())!(request.asRequest, response.asResponse);
    await settled();
    return response;
  }

  /** An INVITE from phone d1 with the right password. */
  async dial(
    number: string,
    parts: DialOptions = {},
  ): Promise<{ request: FakeRequest; response: FakeResponse }> {
    const challenged = await this.receive(invite(number, parts));
    const challenge = challenged.final?.headers['WWW-Authenticate'] ?? '';
    const request = invite(number, {
      ...parts,
      headers: { ...parts.headers, Authorization: authorization('INVITE', challenge) },
    });
    return { request, response: await this.receive(request) };
  }
}

export interface DialOptions {
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly source?: string;
}

let calls = 0;

export function invite(number: string, { headers, body = OFFER, source }: DialOptions = {}): FakeRequest {
  return new FakeRequest({
    method: 'INVITE',
    uri: number.includes(':') ? number : `sip:${number}@${REALM}`,
    body,
    ...(source === undefined ? {} : { source }),
    headers: {
      From: `<sip:d1@${REALM}>;tag=a`,
      To: `<sip:${number}@${REALM}>`,
      'Call-ID': `test-${++calls}`,
      CSeq: '1 INVITE',
      Contact: '<sip:d1@192.0.2.10>',
      ...(body === '' ? {} : { 'Content-Type': 'application/sdp' }),
      ...headers,
    },
  });
}

/** A right answer of phone d1 to a challenge, by MD5. */
export function authorization(
  method: string,
  challenge: string,
  differs: Record<string, string> = {},
): string {
  const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
  const fields: Record<string, string> = {
    username: 'd1',
    realm: REALM,
    nonce: /nonce="([^"]*)"/.exec(challenge)?.[1] ?? '',
    uri: `sip:${REALM}`,
    nc: '00000001',
    cnonce: 'c',
    qop: 'auth',
    algorithm: 'MD5',
    ...differs,
  };
  const { username, realm, nonce, uri, nc, cnonce, qop } = fields;
  const ha1 = md5(`${username}:${realm}:${differs.password ?? 'secret'}`);
  const response = md5(`${ha1}:${nonce}:${nc}:${cnonce}:${qop}:${md5(`${method}:${uri}`)}`);
  const quoted = { username, realm, nonce, uri, cnonce, response };
  const text = Object.entries(quoted).map(([name, value]) => `${name}="${value}"`);
  return `Digest ${text.join(', ')}, qop=${qop}, nc=${nc}, algorithm=${fields.algorithm}`;
}
