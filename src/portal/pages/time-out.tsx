import { useState } from 'preact/hooks';
import { get, send } from '../api/client.ts';
import { useLive } from '../api/live.ts';
import type { Company } from '../api/types.ts';
import { isAdministrator } from '../app/session.ts';
import { clock, now } from '../app/time.ts';
import { useLoad } from '../app/use-load.ts';
import { texts } from '../texts.ts';
import { Card, Failed, Head, Skeleton } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/dialog.tsx';
import { SelectField } from '../ui/fields.tsx';
import { done, failed } from '../ui/toast.tsx';

const words = texts.timeOut;
/** Rule A4. */
const LIMITS = [1, 4, 6, 8, 10, 12, 16, 20, 24, 'never'] as const;
type Limit = Company['associationLimit'];

function wordOf(limit: Limit): string {
  return limit === 'never' ? texts.time.never : texts.time.hoursLong(limit);
}

/** More › Security and compliance › Hot desk session timeout. */
export function TimeOutPage() {
  const company = useLoad('company', (signal) => get<Company>('/company', signal));
  useLive(['directory'], company.reload);
  return (
    <>
      <Head title={words.title} lead={words.lead} />
      <div class="narrow">
        {company.error && !company.data && <Failed text={company.error} onRetry={company.reload} />}
        {!company.data && !company.error && <Skeleton lines={4} />}
        {company.data && (
          <Form key={company.data.associationLimit} company={company.data} onSaved={company.set} />
        )}
      </div>
    </>
  );
}

interface FormProps {
  readonly company: Company;
  readonly onSaved: (company: Company) => void;
}

function Form({ company, onSaved }: FormProps) {
  const before = company.associationLimit;
  const [limit, setLimit] = useState<Limit>(before);
  const [busy, setBusy] = useState(false);
  const may = isAdministrator.value;
  const write = async (associationLimit: Limit): Promise<void> =>
    onSaved(await send<Company>('PATCH', '/company', { associationLimit }));
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      await write(limit);
      done(words.saved(wordOf(limit)), () => write(before));
    } catch (error) {
      failed(error);
    }
    setBusy(false);
  };
  return (
    <Card>
      <form class="form" onSubmit={(event) => void save(event)}>
        <SelectField
          label={words.label}
          hint={words.hint}
          value={String(limit)}
          disabled={!may}
          options={LIMITS.map((each) => ({ value: String(each), text: wordOf(each) }))}
          onChange={(value) => setLimit(LIMITS.find((each) => String(each) === value) ?? before)}
        />
        <Notice kind="info">
          <p>{exampleOf(limit)}</p>
          <p>{words.running}</p>
        </Notice>
        {may ? (
          <div class="form-actions">
            <Button type="submit" kind="primary" busy={busy} disabled={limit === before}>
              {texts.common.save}
            </Button>
            {limit !== before && <span class="muted">{texts.common.notSaved}</span>}
          </div>
        ) : (
          <p class="muted">{words.readOnly}</p>
        )}
      </form>
    </Card>
  );
}

function exampleOf(limit: Limit): string {
  if (limit === 'never') return words.never;
  return words.example(clock(new Date(now.value + limit * 3_600_000).toISOString()));
}
