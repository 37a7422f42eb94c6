import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { get } from '../api/client.ts';
import { readCatalogue } from '../api/orders.ts';
import type { Company } from '../api/types.ts';
import { navigate, place } from '../app/router.ts';
import { account, sites } from '../app/session.ts';
import { useLoad } from '../app/use-load.ts';
import { texts } from '../texts.ts';
import { Empty, Failed, Head, Skeleton } from '../ui/bits.tsx';
import { Icon } from '../ui/icons.tsx';
import { DeliveryStep } from './add-device-delivery.tsx';
import { beginDraft, draft, draftOf, linesOf, STEPS, type Step } from './add-device-draft.ts';
import { PhonesStep } from './add-device-phones.tsx';
import { PlacesStep } from './add-device-places.tsx';
import { pathOf, type StepProps } from './add-device-step.tsx';
import { SummaryStep } from './add-device-summary.tsx';
import { NeedsSite } from './needs-site.tsx';

const words = texts.addDevice;

/** Phone system › Phones & devices › Add device: each step has an address of its own, so that back goes back. */
export function AddDevicePage() {
  const facts = useLoad('add-device', async (signal) => {
    const [catalogue, company] = await Promise.all([readCatalogue(signal), get<Company>('/company', signal)]);
    return { catalogue, company };
  });
  const owner = account.value?.email ?? '';
  useEffect(() => {
    if (!facts.data || draft.value?.owner === owner) return;
    const { catalogue, company } = facts.data;
    const [only, ...others] = sites.value;
    const site = only && others.length === 0 ? only.id : '';
    const method = catalogue.shipping[0]?.id ?? '';
    draft.value = draftOf(owner) ?? beginDraft({ owner, country: company.country, site, method });
  }, [facts.data, owner]);
  const from = draft.value;
  if (facts.error && !facts.data) {
    return (
      <Around step="phones">
        <Failed text={facts.error} onRetry={facts.reload} />
      </Around>
    );
  }
  if (!facts.data || !from || from.owner !== owner) {
    return (
      <Around step="phones">
        <Skeleton lines={6} />
      </Around>
    );
  }
  if (facts.data.catalogue.models.length === 0) {
    return (
      <Around step="phones">
        <Empty icon="desk" {...words.noCatalogue} />
      </Around>
    );
  }
  if (sites.value.length === 0) {
    return (
      <Around step="phones">
        <NeedsSite />
      </Around>
    );
  }
  return <Steps draft={from} catalogue={facts.data.catalogue} />;
}

function wantedStep(): Step {
  const wanted = place.value.query.get('step');
  return STEPS.find((step) => step === wanted) ?? 'phones';
}

/** How far one may go with what has been entered. */
function reach({ draft: from, catalogue }: StepProps): Step {
  const lines = linesOf(from, catalogue);
  if (lines.length === 0) return 'phones';
  if (lines.some(({ address, site }) => address.choice === '' || site === '')) return 'address';
  return from.delivery.address.choice === '' ? 'delivery' : 'summary';
}

function Steps(props: StepProps) {
  const wanted = wantedStep();
  const furthest = reach(props);
  const step = STEPS.indexOf(wanted) > STEPS.indexOf(furthest) ? furthest : wanted;
  useEffect(() => {
    if (step !== wanted) navigate(pathOf(step), { replace: true });
    window.scrollTo(0, 0);
  }, [step, wanted]);
  return (
    <Around step={step} furthest={furthest}>
      {step === 'phones' && <PhonesStep {...props} />}
      {step === 'address' && <PlacesStep {...props} />}
      {step === 'delivery' && <DeliveryStep {...props} />}
      {step === 'summary' && <SummaryStep {...props} />}
    </Around>
  );
}

const LEADS: Readonly<Record<Step, string>> = {
  phones: words.phonesLead,
  address: words.addressLead,
  delivery: words.deliveryLead,
  summary: words.summaryLead,
};

interface AroundProps {
  readonly step: Step;
  readonly furthest?: Step;
  readonly children: ComponentChildren;
}

function Around({ step, furthest = 'phones', children }: AroundProps) {
  return (
    <div class="wizard">
      <Head
        key={step}
        title={words.steps[step]}
        lead={LEADS[step]}
        back={{ href: '/phones/common-area', text: texts.phones.title }}
      />
      <StepList step={step} furthest={furthest} />
      {children}
    </div>
  );
}

/** Where one is; the steps before can be gone back to. */
function StepList({ step, furthest }: { readonly step: Step; readonly furthest: Step }) {
  const at = STEPS.indexOf(step);
  return (
    <nav aria-label={words.stepsLabel}>
      <ol class="steps">
        {STEPS.map((each, index) => {
          const isDone = index < at;
          const content = (
            <>
              <span class="step-number">{isDone ? <Icon name="check" size={16} /> : index + 1}</span>
              <span class="step-name">
                {words.steps[each]}
                {isDone && <span class="hidden"> ({words.stepDone})</span>}
              </span>
            </>
          );
          const mayGo = index !== at && index <= STEPS.indexOf(furthest);
          return (
            <li key={each} class={index === at ? 'here' : isDone ? 'done' : ''}>
              {mayGo ? (
                <a href={pathOf(each)}>{content}</a>
              ) : (
                <span aria-current={index === at ? 'step' : undefined}>{content}</span>
              )}
            </li>
          );
        })}
      </ol>
    </nav>
  );
}
