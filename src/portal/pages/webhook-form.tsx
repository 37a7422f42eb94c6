import { useState } from 'preact/hooks';
import { ApiError, create, friendly, send } from '../api/client.ts';
import type { Webhook } from '../api/types.ts';
import { type FieldMistakes, useForm } from '../app/use-form.ts';
import { texts } from '../texts.ts';
import { Button } from '../ui/button.tsx';
import { Dialog, Notice } from '../ui/dialog.tsx';
import { CheckField, Switch, TextField } from '../ui/fields.tsx';
import { RadioCards } from '../ui/radio-cards.tsx';
import { SecretText } from '../ui/secret.tsx';
import { done } from '../ui/toast.tsx';

const words = texts.webhooks.form;
const KINDS = Object.keys(texts.audit.kinds);

interface FormProps {
  /** Absent: a new one. */
  readonly webhook?: Webhook;
  readonly onSaved: (webhook: Webhook, secret?: string) => void;
  readonly onClose: () => void;
}

interface Draft {
  readonly url: string;
  readonly every: boolean;
  readonly events: ReadonlySet<string>;
  readonly enabled: boolean;
}

type Field = 'url' | 'events';

function mistakesIn({ url, every, events }: Draft): FieldMistakes<Field> {
  return {
    ...(url.trim() === '' && { url: words.missing }),
    ...(!every && events.size === 0 && { events: words.none }),
  };
}

function save(
  { url, every, events, enabled }: Draft,
  { webhook, key }: { readonly webhook: Webhook | undefined; readonly key: string },
): Promise<Webhook & { readonly secret?: string }> {
  const body = { url: url.trim(), enabled, events: every ? [] : KINDS.filter((kind) => events.has(kind)) };
  return webhook
    ? send<Webhook>('PATCH', `/webhooks/${encodeURIComponent(webhook.id)}`, body)
    : create<Webhook & { readonly secret?: string }>('/webhooks', body, key);
}

/** The API says why an address will not do, in words for administrators. */
function reasonFor(error: unknown): string {
  const detail =
    error instanceof ApiError && error.problem.reason === 'invalidWebhook' && error.problem.detail;
  return detail ? `${detail.charAt(0).toUpperCase()}${detail.slice(1)}.` : friendly(error);
}

/** Adds a webhook, or changes one. */
export function WebhookForm({ webhook, onSaved, onClose }: FormProps) {
  const [draft, setDraft] = useState<Draft>({
    url: webhook?.url ?? '',
    every: (webhook?.events.length ?? 0) === 0,
    events: new Set<string>(webhook?.events),
    enabled: webhook?.enabled ?? true,
  });
  const { element, mistakes, problem, busy, onSubmit } = useForm<Field>({
    check: () => mistakesIn(draft),
    inWords: reasonFor,
    async send(key) {
      const saved = await save(draft, { webhook, key });
      done(webhook ? texts.webhooks.saved : texts.webhooks.created);
      onSaved(saved, saved.secret);
    },
  });
  const change = (part: Partial<Draft>): void => setDraft((old) => ({ ...old, ...part }));
  const actions = (
    <>
      <Button onClick={onClose}>{texts.common.cancel}</Button>
      <Button kind="primary" type="submit" form="webhook-form" busy={busy}>
        {webhook ? texts.common.save : texts.webhooks.add}
      </Button>
    </>
  );
  return (
    <Dialog title={webhook ? words.edit : words.add} onClose={onClose} actions={actions}>
      <form ref={element} id="webhook-form" class="form" noValidate onSubmit={onSubmit}>
        <TextField
          autoFocus
          name="url"
          label={words.url}
          hint={words.urlHint}
          error={mistakes.url}
          value={draft.url}
          onInput={(url) => change({ url })}
        />
        <RadioCards
          label={words.choose}
          name="events"
          value={draft.every ? 'every' : 'chosen'}
          choices={[
            { value: 'every', text: words.every },
            { value: 'chosen', text: words.chosen },
          ]}
          error={mistakes.events}
          onChange={(value) => change({ every: value === 'every' })}
        />
        {!draft.every && <Kinds chosen={draft.events} onChange={(events) => change({ events })} />}
        <Switch
          label={words.enabled}
          hint={words.enabledHint}
          checked={draft.enabled}
          onChange={(enabled) => change({ enabled })}
        />
        {problem !== '' && <Notice kind="danger">{problem}</Notice>}
      </form>
    </Dialog>
  );
}

interface KindsProps {
  readonly chosen: ReadonlySet<string>;
  readonly onChange: (chosen: ReadonlySet<string>) => void;
}

function Kinds({ chosen, onChange }: KindsProps) {
  const toggle = (kind: string): void => {
    const after = new Set(chosen);
    if (!after.delete(kind)) after.add(kind);
    onChange(after);
  };
  return (
    <fieldset class="kinds">
      <legend class="hidden">{words.chosen}</legend>
      {KINDS.map((kind) => (
        <CheckField
          key={kind}
          label={texts.audit.kinds[kind] ?? kind}
          checked={chosen.has(kind)}
          onChange={() => toggle(kind)}
        />
      ))}
    </fieldset>
  );
}

/** A secret, once. */
export function SecretDialog({ secret, onClose }: { readonly secret: string; readonly onClose: () => void }) {
  return (
    <Dialog
      title={texts.webhooks.secretTitle}
      onClose={onClose}
      actions={
        <Button kind="primary" onClick={onClose}>
          {texts.webhooks.secretDone}
        </Button>
      }
    >
      <p>{texts.webhooks.secretText}</p>
      <SecretText label={texts.webhooks.secretLabel} value={secret} />
    </Dialog>
  );
}
