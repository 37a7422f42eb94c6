import type { ChangeEvent } from '../../../src/domain/association.ts';
import type { Webhook } from '../../../src/domain/directory.ts';
import type { EmergencyRecord, EmergencyStage } from '../../../src/domain/emergency-record.ts';
import type { Attempt, WebhookSender } from '../../../src/services/webhooks/sender.ts';
import type { Consumer, DeadLetter, WebhookAttempt } from '../../../src/store/store.ts';
import type { FakeClock } from '../../support/fake-clock.ts';
import { settle } from './harness.ts';

/** What webhooks need of others, as tests steer it. */

export const orders: Webhook = {
  id: 'a1',
  url: 'https://hooks.example.com/orders',
  events: [],
  enabled: true,
  sealedSecret: 'sealed',
};

export function startEvent(seq: number, at = 1_000 * seq): ChangeEvent {
  return {
    kind: 'start',
    seq,
    at,
    actor: 'guest',
    reason: 'logIn',
    association: {
      host: 'h1',
      guest: '1001',
      site: 'london',
      generation: seq,
      startedAt: at,
      expiresAt: 'never',
      idleLimitMs: 'never',
    },
    previousHost: undefined,
  };
}

export function emergencyEvent(stage: EmergencyStage): ChangeEvent {
  const record = {
    ...{ id: 'call1', number: '999', at: 1_000, callbackUntil: 3_601_000, host: 'h1', nickname: 'Desk' },
    ...{ site: 'london', callbackNumber: '+442079460100', address: undefined, guest: undefined },
    addressUnverified: false,
  } as unknown as EmergencyRecord;
  return { kind: 'emergency', seq: 9, at: 1_000, actor: 'node:a', stage, record };
}

export const OK: Attempt = { delivered: true, status: 200 };

export function no(status: number | undefined, retryAfterMs?: number): Attempt {
  return { delivered: false, status, problem: `the answer was ${status}`, retryAfterMs };
}

/** Answers what it is told, and writes down when it was asked. */
export class FakeSender implements WebhookSender {
  answer: (id: string) => Attempt | Promise<Attempt> = () => OK;
  readonly sent: { readonly at: number; readonly id: string; readonly url: string }[] = [];
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  async send({ url }: Webhook, { id }: { readonly id: string }): Promise<Attempt> {
    this.sent.push({ at: this.#clock.now(), id, url });
    return this.answer(id);
  }

  /** Seconds of every try. */
  get seconds(): number[] {
    return this.sent.map(({ at }) => at / 1000);
  }
}

/** Letters, and consumers that run until told to stop. */
export class FakeConsuming {
  readonly letters: DeadLetter[] = [];
  readonly attempts: WebhookAttempt[] = [];
  readonly running: Consumer[] = [];
  readonly forgotten: string[] = [];
  down = false;

  async noteAttempt(_webhook: string, attempt: WebhookAttempt): Promise<void> {
    this.attempts.push(attempt);
  }

  async addDeadLetter(letter: DeadLetter): Promise<void> {
    if (this.down) throw new Error('down');
    this.letters.push(letter);
  }

  async forgetConsumer(name: string): Promise<void> {
    if (this.down) throw new Error('down');
    this.forgotten.push(name);
  }

  async consume(consumer: Consumer, signal: AbortSignal): Promise<void> {
    this.running.push(consumer);
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    this.running.splice(this.running.indexOf(consumer), 1);
  }
}

/** Lets time pass in small steps, so that what awaits in between goes on. */
export async function pass(clock: FakeClock, ms: number, step = 500): Promise<void> {
  await settle();
  for (let left = ms; left > 0; left -= step) {
    clock.advance(Math.min(step, left));
    await settle();
  }
}
