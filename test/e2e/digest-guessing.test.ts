import { expect, test } from 'vitest';
import { PHONES, passwordOf } from '../support/demo.ts';
import { authorization, challengeOf } from '../support/digest-client.ts';
import { DOMAIN } from '../support/hotdesk.ts';
import type { SipText } from '../support/sip-text.ts';
import { useHotdesk } from '../support/suite.ts';
import { eventually } from '../support/wait.ts';
import { type Endpoint, openUdpWire, type UdpWire } from '../support/wire.ts';

/** Guessing of SIP passwords as svcrack does it (store.md R9): many answers a second, from one socket. */

const hotdesk = useHotdesk();
const VICTIM = PHONES.window;
const GUESSES = 600;
/** Guesses looked at before the first wait, and those sent well within it. */
const FREE = 5;
const AT_ONCE = 50;

test('600 guesses in three seconds: a handful is looked at, and nobody else notices', async () => {
  const victim = await hotdesk().phone(VICTIM);
  const attacker = await Attacker.at('127.0.0.66', hotdesk().sip.udp);
  try {
    const asked = await attacker.ask(VICTIM);
    const burst = attacker.guess(VICTIM, asked);
    await eventually('the first wait', () => hotdesk().log.text.includes('guesses for one phone'));
    // The phone itself, in the middle of it; then another one, from its own address.
    expect((await victim.register()).status).toBe(200);
    const other = await hotdesk().phone(PHONES.leeds);
    expect(other.registered).toBe(true);
    await burst;
    const counts = await attacker.counts(GUESSES);
    expect(counts.get(200)).toBeUndefined();
    expect(counts.get(403)).toBeGreaterThanOrEqual(5);
    expect(counts.get(403)).toBeLessThanOrEqual(8);
    expect((counts.get(401) ?? 0) + (counts.get(403) ?? 0)).toBe(GUESSES + 1);
    // One line for each wait, not one for each guess.
    const lines = hotdesk().log.lines.filter((line) => line.includes('guesses for one phone'));
    expect(lines.length).toBeLessThanOrEqual(3);
    expect(lines[0]).toContain(VICTIM);

    const cancel = attacker.call('999', asked);
    expect(await hotdesk().trunks.emergency.nextCall()).toBeDefined();
    cancel();
    await eventually('the end of the call', () => hotdesk().trunks.emergency.received('CANCEL').length > 0);
  } finally {
    await attacker.close();
  }
});

test('a user nobody has is answered just so', async () => {
  const attacker = await Attacker.at('127.0.0.67', hotdesk().sip.udp);
  try {
    await attacker.guess('nobody', await attacker.ask('nobody'), 60);
    const counts = await attacker.counts(60);
    expect(counts.get(403)).toBeGreaterThanOrEqual(5);
    expect(counts.get(403)).toBeLessThanOrEqual(8);
    expect(hotdesk().log.text).not.toContain('nobody');
  } finally {
    await attacker.close();
  }
});

/** Sends without waiting for answers, and counts them. */
class Attacker {
  readonly #wire: UdpWire;
  #sent = 0;

  constructor(wire: UdpWire) {
    this.#wire = wire;
  }

  static async at(address: string, server: Endpoint): Promise<Attacker> {
    const wire = await openUdpWire(address);
    wire.aim(server);
    return new Attacker(wire);
  }

  /** The 401 to a REGISTER without credentials. */
  async ask(user: string): Promise<SipText> {
    this.#register(user);
    return eventually('a challenge', () => this.#answers().find(({ status }) => status === 401));
  }

  /** All with one nonce, counted up; the right password among the first, but after the limit; then 20 at a time. */
  async guess(user: string, challenged: SipText, times = GUESSES): Promise<void> {
    const challenge = challengeOf(challenged, 'MD5');
    for (let n = 1; n <= times; n++) {
      const password = n > FREE && n <= AT_ONCE ? passwordOf(user) : `guess-${n}`;
      const uri = `sip:${DOMAIN}`;
      const answer = authorization({ user, password, method: 'REGISTER', uri, challenge, count: n });
      this.#register(user, [`Authorization: ${answer}`, `Contact: <sip:evil@127.0.0.66:5099>`]);
      if (n > AT_ONCE && n % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Calls with a wrong password; the function returned gives up. */
  call(number: string, challenged: SipText): () => void {
    const uri = `sip:${number}@${DOMAIN}`;
    const challenge = challengeOf(challenged, 'MD5');
    const wrong = { user: VICTIM, password: 'wrong', method: 'INVITE', uri, challenge };
    const parties = [`From: <sip:${VICTIM}@${DOMAIN}>;tag=a`, `To: <${uri}>`];
    const contact = `Contact: <sip:evil@127.0.0.66:${this.#wire.local.port}>`;
    const serial = ++this.#sent;
    this.#send(serial, `INVITE ${uri}`, [...parties, contact, `Authorization: ${authorization(wrong)}`]);
    return () => this.#send(serial, `CANCEL ${uri}`, parties);
  }

  /** Final answers by status, once there are enough. */
  async counts(guesses: number): Promise<Map<number, number>> {
    const finals = await eventually('all answers', () => {
      const all = this.#answers().filter(({ status }) => (status ?? 0) >= 200);
      return all.length > guesses ? all : undefined;
    });
    const counts = new Map<number, number>();
    for (const { status = 0 } of finals) counts.set(status, (counts.get(status) ?? 0) + 1);
    return counts;
  }

  close(): Promise<void> {
    return this.#wire.close();
  }

  #register(user: string, lines: readonly string[] = []): void {
    const aor = `<sip:${user}@${DOMAIN}>`;
    this.#send(++this.#sent, `REGISTER sip:${DOMAIN}`, [`From: ${aor};tag=a`, `To: ${aor}`, ...lines]);
  }

  #send(serial: number, request: string, lines: readonly string[]): void {
    const { host, port } = this.#wire.local;
    const [method] = request.split(' ');
    const via = `SIP/2.0/UDP ${host}:${port};branch=z9hG4bKguess${port}x${serial};rport`;
    const rest = [`Call-ID: guess-${port}-${serial}`, `CSeq: 1 ${method}`, 'Max-Forwards: 70'];
    this.#wire.send(
      [`${request} SIP/2.0`, `Via: ${via}`, ...rest, ...lines, 'Content-Length: 0', '', ''].join('\r\n'),
    );
  }

  #answers(): SipText[] {
    const incoming = this.#wire.trace.filter(({ direction }) => direction === 'in');
    return incoming.map(({ message }) => message).filter(({ status }) => status !== undefined);
  }
}
