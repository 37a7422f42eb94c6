import type { View } from '../../domain/view.ts';
import type { FaceOutcome, TextPort } from '../ports.ts';
import type { Channel, Outcome } from './channel.ts';
import { hostsBehind, phonesOf } from './recipients.ts';

const SECOND = 1_000;

/** Tells by a text on the display of phones (RFC 3428), all of them at once. */
export function messageChannel(options: {
  readonly view: Pick<View, 'directory' | 'emergencyDirectory' | 'associationAt' | 'associationOf'>;
  readonly phones: TextPort;
}): Channel {
  const { view, phones } = options;
  return {
    name: 'message',
    waits: [2 * SECOND, 10 * SECOND],
    patienceMs: 10 * SECOND,
    atOnce: 20,
    recipients: (record) => phonesOf(record, view.directory ?? view.emergencyDirectory),
    tell: async ({ record, notice }, to) => {
      const told = to.map(async (name): Promise<[string, Outcome]> => {
        const hosts = hostsBehind(name, record, view);
        const outcomes = await Promise.all(hosts.map((host) => phones.show(host, notice.text)));
        return [name, outcomeOf(outcomes)];
      });
      return new Map(await Promise.all(told));
    },
  };
}

/** One phone of a person is enough. */
function outcomeOf(outcomes: readonly FaceOutcome[]): Outcome {
  if (outcomes.includes('told')) return { told: true };
  if (outcomes.includes('failed')) return { told: false, problem: 'the phone does not answer', final: false };
  if (outcomes.includes('refused')) return { told: false, problem: 'the phone shows no texts', final: true };
  return { told: false, problem: 'no phone there', final: false };
}
