import { describe, expect, it } from 'vitest';
import type { SipMessage } from '../../../src/sip-engine/message/message.ts';
import { TransactionLayer } from '../../../src/sip-engine/transaction/transaction-layer.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeFlow, FakeTransport } from '../../support/fake-flow.ts';
import { answer, peerRequest } from '../../support/transaction-bench.ts';

const CALLS = 300;
const DELAY_MS = 15;
const NOBODY = { onRequest() {}, onCancel() {}, onAck() {}, onStrayResponse() {} };

/** A link of one direction that loses one message in ten. */
class LossyFlow extends FakeFlow {
  far: { transport: FakeTransport; flow: FakeFlow } | undefined;
  lost = 0;
  readonly #clock: FakeClock;
  #seed = 1;

  constructor(clock: FakeClock) {
    super();
    this.#clock = clock;
  }

  override send(text: string): void {
    this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) >>> 0;
    if (this.#seed < 2 ** 32 / 10) {
      this.lost++;
      return;
    }
    this.#clock.setTimer(DELAY_MS, () => this.far?.transport.deliver(text, this.far.flow));
  }
}

function twoSides() {
  const clock = new FakeClock();
  let count = 0;
  const side = () => {
    const transport = new FakeTransport();
    const layer = new TransactionLayer({ clock, transport, random: () => `x${++count}` });
    layer.user = NOBODY;
    return { transport, layer, flow: new LossyFlow(clock) };
  };
  const [us, them] = [side(), side()];
  us.flow.far = them;
  them.flow.far = us;
  return { clock, us, them };
}

describe('with 10 % loss each way', () => {
  it.each([
    ['INVITE', 486],
    ['OPTIONS', 200],
  ])('every %s reaches the user once and every %i comes back once', (method, status) => {
    const { clock, us, them } = twoSides();
    const asked = new Map<string, number>();
    const answered = new Map<string, number>();
    const count = (map: Map<string, number>, { callId = '' }: SipMessage) =>
      map.set(callId, (map.get(callId) ?? 0) + 1);
    them.layer.user = {
      ...NOBODY,
      onRequest: (transaction) => {
        count(asked, transaction.request);
        transaction.respond(answer(transaction, status));
      },
    };
    for (let i = 0; i < CALLS; i++) {
      us.layer.request(peerRequest(method, { callId: `c${i}` }).delete('Via'), us.flow, {
        onResponse: (response) => void (response.status >= 200 && count(answered, response)),
        onTimeout: () => expect.unreachable('a transaction timed out'),
        onTransportError: () => expect.unreachable('a transaction failed'),
      });
    }
    clock.advance(96_000);
    for (const map of [asked, answered]) {
      expect(map.size).toBe(CALLS);
      expect(new Set(map.values())).toEqual(new Set([1]));
    }
    expect([us.layer.stats().client, them.layer.stats().server, clock.pending]).toEqual([0, 0, 0]);
    expect(Math.min(us.flow.lost, them.flow.lost)).toBeGreaterThan(CALLS / 20);
  });
});
