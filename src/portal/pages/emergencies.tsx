import { get } from '../api/client.ts';
import { useLive } from '../api/live.ts';
import type { Emergency } from '../api/types.ts';
import { addressLines } from '../app/address.ts';
import { acknowledge } from '../app/emergency-banner.tsx';
import { actorOf } from '../app/sentences.ts';
import { mayChange, siteName, zoneOf } from '../app/session.ts';
import { clock, fullTime } from '../app/time.ts';
import { useLoad } from '../app/use-load.ts';
import { texts } from '../texts.ts';
import { Empty, Facts, Failed, Head, Pill, Skeleton } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Notice as Sentence } from '../ui/dialog.tsx';

const words = texts.emergencies;

interface Answer {
  readonly emergencies: readonly Emergency[];
  readonly complete: boolean;
}

/** Emergency calls: from where, how far they are, and who knows of them. */
export function EmergenciesPage() {
  const { data, error, reload } = useLoad('/emergencies', (signal) => get<Answer>('/emergencies', signal));
  useLive(['emergency', 'moment'], reload);
  return (
    <>
      <Head title={words.title} lead={words.lead} />
      {error && !data ? (
        <Failed text={error} onRetry={reload} />
      ) : data === undefined ? (
        <Skeleton lines={6} />
      ) : (
        <div class="calls">
          {!data.complete && <Sentence kind="warn">{words.incomplete}</Sentence>}
          {data.emergencies.length === 0 ? (
            <Empty icon="shield" {...words.empty} />
          ) : (
            data.emergencies.map((call) => <CallCard key={call.id} call={call} onDone={reload} />)
          )}
        </div>
      )}
    </>
  );
}

interface CallProps {
  readonly call: Emergency;
  readonly onDone: () => void;
}

function CallCard({ call, onDone }: CallProps) {
  const { host, number, at, site, acknowledged, open, callbackUntil } = call;
  const zone = zoneOf(site);
  const phone = host?.nickname ?? host?.id ?? texts.emergency.unknownPhone;
  return (
    <section class={`card call${acknowledged ? '' : ' unseen'}`} aria-labelledby={`call-${call.id}`}>
      <header class="card-head">
        <div>
          <h2 id={`call-${call.id}`}>{texts.emergency.title(number, phone)}</h2>
          <p>
            <time dateTime={at}>{fullTime(at, zone)}</time>
            {open && ` · ${words.open(clock(callbackUntil, zone))}`}
          </p>
        </div>
        <Seen call={call} onDone={onDone} />
      </header>
      {call.addressUnverified && <Sentence kind="warn">{texts.emergency.unverified}</Sentence>}
      <div class="call-parts">
        <CallFacts call={call} phone={phone} />
        <div>
          <h3>{words.history}</h3>
          <Stages call={call} zone={zone} />
        </div>
        <div>
          <h3>{words.told}</h3>
          <Told call={call} />
        </div>
      </div>
    </section>
  );
}

function Seen({ call, onDone }: CallProps) {
  const { acknowledged } = call;
  if (acknowledged) {
    return (
      <Pill tone="ok" icon="check">
        {words.acknowledgedBy(actorOf({ actor: acknowledged.by }))}
      </Pill>
    );
  }
  if (!mayChange.value) {
    return (
      <Pill tone="danger" icon="alert">
        {words.notAcknowledged}
      </Pill>
    );
  }
  return (
    <Button kind="danger" icon="check" onClick={() => void acknowledge(call, onDone)}>
      {texts.emergency.acknowledge}
    </Button>
  );
}

function CallFacts({ call, phone }: { readonly call: Emergency; readonly phone: string }) {
  const { host, guest, address, callbackNumber, site } = call;
  return (
    <Facts
      rows={[
        [
          words.facts.phone,
          host ? (
            <a key="phone" class="row-link light" href={`/phones/${encodeURIComponent(host.id)}`}>
              {phone}
            </a>
          ) : (
            phone
          ),
        ],
        [words.facts.site, site ? siteName(site) : texts.common.none],
        [words.facts.guest, guest ? `${guest.name}, ${guest.extension}` : texts.emergency.nobody],
        [
          words.facts.address,
          address ? (
            <address key="address">
              {addressLines(address).map((line) => (
                <span key={line}>{line}</span>
              ))}
            </address>
          ) : (
            words.noAddress
          ),
        ],
        [words.facts.callback, callbackNumber ?? texts.common.none],
      ]}
    />
  );
}

function Stages({ call, zone }: { readonly call: Emergency; readonly zone: string | undefined }) {
  return (
    <ol class="stages">
      {call.stages.map(({ stage, at }) => (
        <li key={`${stage} ${at}`} class={stage}>
          <span>{words.stages[stage]}</span>
          <time class="muted small" dateTime={at} title={fullTime(at, zone)}>
            {clock(at, zone)}
          </time>
        </li>
      ))}
    </ol>
  );
}

/** `again`: a try has failed, and more are to come. */
const TOLD = {
  told: { tone: 'ok', icon: 'check' },
  pending: { tone: 'quiet', icon: 'clock' },
  again: { tone: 'warn', icon: 'alert' },
  failed: { tone: 'danger', icon: 'alert' },
} as const;

type Notice = Emergency['notices'][number];

function stateOf({ state, problem }: Notice): keyof typeof TOLD {
  return state === 'pending' && problem !== null ? 'again' : state;
}

function Told({ call: { notices } }: { readonly call: Emergency }) {
  if (notices.length === 0) return <p class="muted small">{words.toldNobody}</p>;
  return (
    <ul class="told">
      {notices.map((notice) => (
        <ToldOne key={`${notice.stage} ${notice.channel} ${notice.to}`} notice={notice} />
      ))}
    </ul>
  );
}

function ToldOne({ notice }: { readonly notice: Notice }) {
  const { stage, channel, to, state, tries, problem } = notice;
  const shown = stateOf(notice);
  return (
    <li>
      <span class="stack">
        <span class="told-to">{to}</span>
        <span class="muted small">
          {words.channels[channel]} · {words.stages[stage]}
          {state !== 'told' && ` · ${words.tries(tries)}`}
        </span>
        {problem && state !== 'told' && <span class="small told-problem sentence">{problem}</span>}
      </span>
      <Pill {...TOLD[shown]}>{words.states[shown]}</Pill>
    </li>
  );
}
