import { useState } from 'preact/hooks';
import { get, send } from '../api/client.ts';
import type { DeadLetter, Delivery, WebhookTest } from '../api/types.ts';
import { clock, fullTime } from '../app/time.ts';
import { useLoad } from '../app/use-load.ts';
import { texts } from '../texts.ts';
import { Card, Failed, Pill } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { done, failed } from '../ui/toast.tsx';
import { zoneFor } from './audit-parts.tsx';
import { outcomeOf } from './webhooks.tsx';

const words = texts.webhooks;
const SHOWN = 50;

function moment(at: string) {
  const zone = zoneFor('');
  return (
    <time class="nowrap" dateTime={at} title={fullTime(at, zone)}>
      {clock(at, zone)}
    </time>
  );
}

function kindOf(type: string): string {
  return texts.audit.kinds[type] ?? (type === 'webhook.test' ? words.test : type);
}

function Result({ delivered, status, problem }: Delivery) {
  return (
    <span class="stack">
      <Pill tone={delivered ? 'ok' : 'danger'} icon={delivered ? 'check' : 'alert'}>
        {`${delivered ? words.delivered : words.failed}${status === null ? '' : ` · ${status}`}`}
      </Pill>
      {problem && <span class="muted small sentence">{problem}</span>}
    </span>
  );
}

const LOG: readonly Column<Delivery>[] = [
  {
    key: 'event',
    title: words.logColumns.event,
    render: ({ type, cause, try: count }) => {
      const notes = [words.causes[cause], count > 1 ? words.try(count) : ''].filter(Boolean);
      return (
        <span class="stack">
          <span>{kindOf(type)}</span>
          {notes.length > 0 && <span class="muted small">{notes.join(' · ')}</span>}
        </span>
      );
    },
  },
  { key: 'when', title: words.logColumns.when, render: ({ at }) => moment(at) },
  { key: 'result', title: words.logColumns.result, render: (delivery) => <Result {...delivery} /> },
  { key: 'duration', title: words.logColumns.duration, render: ({ durationMs }) => words.ms(durationMs) },
  {
    key: 'next',
    title: words.logColumns.next,
    render: ({ nextAt }) => (nextAt === null ? <span class="muted">{words.noNext}</span> : moment(nextAt)),
  },
];

interface PartProps {
  readonly id: string;
  /** Looked at again when it changes. */
  readonly round: number;
}

/** The last tries to deliver. */
export function DeliveryLog({ id, round }: PartProps) {
  const path = `/webhooks/${encodeURIComponent(id)}/deliveries?limit=${SHOWN}`;
  const log = useLoad(`${path} ${round}`, (signal) => get<{ deliveries: readonly Delivery[] }>(path, signal));
  const rows = log.data?.deliveries;
  return (
    <Card title={words.log} lead={words.logText}>
      {log.error && !rows ? (
        <Failed text={log.error} onRetry={log.reload} />
      ) : rows?.length === 0 ? (
        <p class="muted card-text">{words.logEmpty}</p>
      ) : (
        <Table
          label={words.log}
          columns={LOG}
          rows={rows}
          keyOf={({ at, message, try: count, cause }) => `${at} ${message} ${count} ${cause}`}
          nameOf={({ message }) => message}
        />
      )}
    </Card>
  );
}

const LETTERS: readonly Column<DeadLetter>[] = [
  {
    key: 'event',
    title: words.lettersColumns.event,
    render: ({ message }) => (message ? kindOf(message.type) : words.forgotten),
  },
  { key: 'when', title: words.lettersColumns.when, render: ({ at }) => moment(at) },
  {
    key: 'problem',
    title: words.lettersColumns.problem,
    render: ({ problem }) => <span class="sentence">{problem}</span>,
  },
];

/** What was given up, and another try. */
export function Letters({ id, round, onSent }: PartProps & { readonly onSent: () => void }) {
  const path = `/webhooks/dead-letters?webhook=${encodeURIComponent(id)}&limit=${SHOWN}`;
  const [sending, setSending] = useState('');
  const letters = useLoad(`${path} ${round}`, (signal) =>
    get<{ deadLetters: readonly DeadLetter[] }>(path, signal),
  );
  const resend = async (letter: string): Promise<void> => {
    setSending(letter);
    try {
      const where = `/webhooks/${encodeURIComponent(id)}/dead-letters/${letter}/delivery`;
      const result = await send<WebhookTest>('POST', where);
      done(result.delivered ? words.resent : outcomeOf(result));
    } catch (error) {
      failed(error);
    }
    setSending('');
    onSent();
  };
  const rows = letters.data?.deadLetters;
  return (
    <Card title={words.letters} lead={words.lettersText}>
      {letters.error && !rows ? (
        <Failed text={letters.error} onRetry={letters.reload} />
      ) : rows?.length === 0 ? (
        <p class="muted card-text">{words.lettersEmpty}</p>
      ) : (
        <Table
          label={words.letters}
          columns={LETTERS}
          rows={rows}
          keyOf={(letter) => letter.id}
          nameOf={(letter) => letter.id}
          rowAction={({ id: letter, message }) =>
            message && (
              <Button small busy={sending === letter} onClick={() => void resend(letter)}>
                {words.resend}
              </Button>
            )
          }
        />
      )}
    </Card>
  );
}
