import { useState } from 'preact/hooks';
import { get } from '../api/client.ts';
import { useLive } from '../api/live.ts';
import type { Webhook, WebhookTest } from '../api/types.ts';
import { navigate } from '../app/router.ts';
import { clock, fullTime } from '../app/time.ts';
import { useLoad } from '../app/use-load.ts';
import { texts } from '../texts.ts';
import { Empty, Failed, Head, Pill } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { zoneFor } from './audit-parts.tsx';
import { SecretDialog, WebhookForm } from './webhook-form.tsx';

const words = texts.webhooks;

export function WebhookState({ webhook }: { readonly webhook: Webhook }) {
  const { enabled, status } = webhook;
  if (!enabled) {
    return (
      <Pill tone="quiet" icon="pause">
        {words.states.paused}
      </Pill>
    );
  }
  if (status.consecutiveFailures > 0) {
    return (
      <Pill tone="danger" icon="alert">
        {words.states.failing}
      </Pill>
    );
  }
  return (
    <Pill tone="ok" icon="check">
      {words.states.on}
    </Pill>
  );
}

/** What came of a request. */
export function outcomeOf({ delivered, status, problem, durationMs }: WebhookTest): string {
  return delivered ? words.testDone(status ?? 0, durationMs) : words.testFailed(problem ?? '');
}

export function eventsOf({ events }: Webhook): string {
  return events.length === 0 ? words.all : words.some(events.length);
}

const COLUMNS: readonly Column<Webhook>[] = [
  {
    key: 'url',
    title: words.columns.url,
    render: ({ id, url }) => (
      <a class="row-link url" href={`/webhooks/${encodeURIComponent(id)}`}>
        {url}
      </a>
    ),
  },
  { key: 'events', title: words.columns.events, render: eventsOf },
  { key: 'state', title: words.columns.state, render: (webhook) => <WebhookState webhook={webhook} /> },
  {
    key: 'last',
    title: words.columns.last,
    render: ({ status: { lastDeliveredAt: at } }) =>
      at === null ? (
        <span class="muted">{words.never}</span>
      ) : (
        <time dateTime={at} title={fullTime(at, zoneFor(''))}>
          {clock(at, zoneFor(''))}
        </time>
      ),
  },
];

interface Made {
  readonly id: string;
  readonly secret: string;
}

/** More › Webhooks: whom Hotdesk tells over HTTP. */
export function WebhooksPage() {
  const [adding, setAdding] = useState(false);
  const [made, setMade] = useState<Made>();
  const list = useLoad('/webhooks', (signal) => get<{ webhooks: readonly Webhook[] }>('/webhooks', signal));
  useLive(['directory', 'moment'], list.reload);
  const add = (
    <Button kind="primary" icon="plus" onClick={() => setAdding(true)}>
      {words.add}
    </Button>
  );
  const rows = list.data?.webhooks;
  return (
    <>
      <Head title={words.title} lead={words.lead} aside={rows?.length === 0 ? undefined : add} />
      {list.error && !rows ? (
        <Failed text={list.error} onRetry={list.reload} />
      ) : rows?.length === 0 ? (
        <Empty icon="link" {...words.empty}>
          {add}
        </Empty>
      ) : (
        <Table
          label={words.label}
          columns={COLUMNS}
          rows={rows}
          keyOf={({ id }) => id}
          nameOf={({ url }) => url}
        />
      )}
      {adding && (
        <WebhookForm
          onClose={() => setAdding(false)}
          onSaved={(webhook, secret) => {
            setAdding(false);
            list.reload();
            if (secret !== undefined) setMade({ id: webhook.id, secret });
          }}
        />
      )}
      {made && (
        <SecretDialog
          secret={made.secret}
          onClose={() => {
            setMade(undefined);
            navigate(`/webhooks/${encodeURIComponent(made.id)}`);
          }}
        />
      )}
    </>
  );
}
