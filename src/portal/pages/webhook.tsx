import { useState } from 'preact/hooks';
import { get, send } from '../api/client.ts';
import { useLive } from '../api/live.ts';
import type { Webhook, WebhookTest } from '../api/types.ts';
import { navigate } from '../app/router.ts';
import { useLoad } from '../app/use-load.ts';
import { texts } from '../texts.ts';
import { Card, Facts, Head } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Confirm, Notice } from '../ui/dialog.tsx';
import { Icon } from '../ui/icons.tsx';
import { done, failed } from '../ui/toast.tsx';
import { NotReady } from './not-ready.tsx';
import { SecretDialog, WebhookForm } from './webhook-form.tsx';
import { DeliveryLog, Letters } from './webhook-log.tsx';
import { outcomeOf, WebhookState } from './webhooks.tsx';

const words = texts.webhooks;

/** One webhook: what it is told, how that goes, and what was not delivered. */
export function WebhookPage({ id }: { readonly id: string }) {
  const path = `/webhooks/${encodeURIComponent(id)}`;
  const [round, setRound] = useState(0);
  const loaded = useLoad(path, (signal) => get<Webhook>(path, signal));
  const { data, reload, set } = loaded;
  const lookAgain = (): void => {
    reload();
    setRound((value) => value + 1);
  };
  useLive(['start', 'end', 'extend', 'directory', 'notice', 'emergency', 'order', 'moment'], lookAgain);
  const back = { href: '/webhooks', text: words.back };
  if (!data) return <NotReady title={words.title} loaded={loaded} back={back} />;
  return (
    <>
      <Head
        key="ready"
        title={hostOf(data.url)}
        back={back}
        lead={data.url}
        aside={<WebhookState webhook={data} />}
      />
      <div class="columns">
        <div>
          <DeliveryLog id={id} round={round} />
          <Letters id={id} round={round} onSent={lookAgain} />
        </div>
        <div>
          <TestCard path={path} onDone={lookAgain} />
          <AboutCard webhook={data} path={path} onChange={set} />
        </div>
      </div>
    </>
  );
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

interface TestProps {
  readonly path: string;
  readonly onDone: () => void;
}

function TestCard({ path, onDone }: TestProps) {
  const [busy, setBusy] = useState(false);
  const [result, setResult] = useState<WebhookTest>();
  const test = async (): Promise<void> => {
    setBusy(true);
    setResult(undefined);
    try {
      setResult(await send<WebhookTest>('POST', `${path}/test`));
      onDone();
    } catch (error) {
      failed(error);
    }
    setBusy(false);
  };
  return (
    <Card title={words.test} lead={words.testText}>
      <div class="form">
        <div>
          <Button kind="primary" icon="signal" busy={busy} onClick={() => void test()}>
            {words.test}
          </Button>
        </div>
        <div role="status">{result && <Outcome result={result} />}</div>
      </div>
    </Card>
  );
}

function Outcome({ result }: { readonly result: WebhookTest }) {
  if (!result.delivered) return <Notice kind="warn">{outcomeOf(result)}</Notice>;
  return (
    <p class="outcome ok">
      <Icon name="check" size={18} /> {outcomeOf(result)}
    </p>
  );
}

interface AboutProps {
  readonly webhook: Webhook;
  readonly path: string;
  readonly onChange: (webhook: Webhook) => void;
}

type Asking = 'edit' | 'secret' | 'remove' | undefined;

function AboutCard({ webhook, path, onChange }: AboutProps) {
  const [asking, setAsking] = useState<Asking>();
  const [secret, setSecret] = useState<string>();
  const [busy, setBusy] = useState(false);
  const { enabled, events, id } = webhook;
  const pause = async (): Promise<void> => {
    setBusy(true);
    try {
      onChange(await send<Webhook>('PATCH', path, { enabled: !enabled }));
      done(enabled ? words.paused : words.resumed);
    } catch (error) {
      failed(error);
    }
    setBusy(false);
  };
  const kinds = events.map((kind) => texts.audit.kinds[kind] ?? kind);
  return (
    <Card title={words.about}>
      <Facts
        rows={[
          [
            words.columns.url,
            <span key="url" class="url">
              {webhook.url}
            </span>,
          ],
          [words.columns.events, events.length === 0 ? words.all : kinds.join(', ')],
          [words.id, <code key="id">{id}</code>],
        ]}
      />
      <div class="stack-actions">
        <Button icon="pencil" onClick={() => setAsking('edit')}>
          {words.edit}
        </Button>
        <Button icon={enabled ? 'pause' : 'play'} busy={busy} onClick={() => void pause()}>
          {enabled ? words.pause : words.resume}
        </Button>
        <Button icon="key" onClick={() => setAsking('secret')}>
          {words.rotate}
        </Button>
        <Button icon="trash" onClick={() => setAsking('remove')}>
          {words.remove}
        </Button>
      </div>
      {asking === 'edit' && (
        <WebhookForm
          webhook={webhook}
          onClose={() => setAsking(undefined)}
          onSaved={(saved) => {
            setAsking(undefined);
            onChange(saved);
          }}
        />
      )}
      {asking === 'secret' && (
        <Confirm
          danger
          title={words.rotateTitle}
          text={<p>{words.rotateText}</p>}
          action={words.rotate}
          onClose={() => setAsking(undefined)}
          onConfirm={async () => setSecret((await send<{ secret: string }>('POST', `${path}/secret`)).secret)}
        />
      )}
      {asking === 'remove' && (
        <Confirm
          danger
          title={words.removeTitle}
          text={<p>{words.removeText}</p>}
          action={words.remove}
          onClose={() => setAsking(undefined)}
          onConfirm={async () => {
            await send('DELETE', path);
            done(words.removed);
            navigate('/webhooks');
          }}
        />
      )}
      {asking === undefined && secret !== undefined && (
        <SecretDialog secret={secret} onClose={() => setSecret(undefined)} />
      )}
    </Card>
  );
}
