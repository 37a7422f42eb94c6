import type { EmergencyRecord } from '../../domain/emergency-record.ts';
import type { View } from '../../domain/view.ts';
import type { Channel, Outcome } from './channel.ts';
import type { ToldStage } from './content.ts';
import { emailsOf } from './recipients.ts';
import type { SendMail } from './smtp.ts';

const SECOND = 1_000;
const MINUTE = 60_000;

/** Tells by e-mail: one mail for all, and again for those the server did not take it for. */
export function emailChannel(options: {
  readonly view: Pick<View, 'directory' | 'emergencyDirectory'>;
  readonly send: SendMail;
  /** Told of every call of the company. */
  readonly companyWide: readonly string[];
}): Channel {
  const { view, send, companyWide } = options;
  return {
    name: 'email',
    waits: [SECOND, 5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE],
    patienceMs: 15 * SECOND,
    atOnce: 4,
    recipients: (record) => emailsOf(record, view.directory ?? view.emergencyDirectory, companyWide),
    tell: async ({ record, stage, notice }, to, signal) => {
      const follows = stage === 'placed' ? undefined : idOf(record, 'placed');
      const { subject, body } = notice;
      const result = await send({ id: idOf(record, stage), follows, to, subject, body }, signal);
      const taken = new Set(result.taken);
      const problem = result.problem ?? 'not taken';
      return new Map(
        to.map((address): [string, Outcome] => [
          address,
          taken.has(address) ? { told: true } : { told: false, problem, final: false },
        ]),
      );
    },
  };
}

/** Two nodes that tell of the same stage send the same Message-ID, and many a mail server keeps one of them. */
function idOf({ id }: EmergencyRecord, stage: ToldStage): string {
  return `emergency.${id.replace(/[^A-Za-z0-9-]/g, '')}.${stage}`;
}
