import { get, send } from '../api/client.ts';
import { useLive } from '../api/live.ts';
import type { Emergency } from '../api/types.ts';
import { texts } from '../texts.ts';
import { Button } from '../ui/button.tsx';
import { Icon } from '../ui/icons.tsx';
import { done, failed } from '../ui/toast.tsx';
import { oneLine } from './address.ts';
import { mayChange, siteName, zoneOf } from './session.ts';
import { clock } from './time.ts';
import { useLoad } from './use-load.ts';

const words = texts.emergency;

/** The emergency calls nobody has acknowledged, above every page. */
export function EmergencyBanner() {
  const { data, reload } = useLoad('emergencies', (signal) =>
    get<{ emergencies: readonly Emergency[] }>('/emergencies', signal),
  );
  useLive(['emergency', 'moment'], reload);
  const open = (data?.emergencies ?? []).filter(({ acknowledged }) => acknowledged === null);
  const [latest] = open;
  return (
    <div class="emergencies" role="alert" aria-label={words.label}>
      {latest && <Call call={latest} others={open.length - 1} onDone={reload} />}
    </div>
  );
}

interface CallProps {
  readonly call: Emergency;
  readonly others: number;
  readonly onDone: () => void;
}

/** Says that somebody has seen it. */
export async function acknowledge(call: Emergency, onDone: () => void): Promise<void> {
  try {
    await send('POST', `/emergencies/${encodeURIComponent(call.id)}/acknowledgement`);
    done(words.acknowledged);
  } catch (error) {
    failed(error);
  }
  onDone();
}

/** Whom no e-mail and no message has reached, each once: those given up, and those a try has failed for. */
function notReached({ notices }: Emergency): string[] {
  const missed = notices.filter(({ state, problem }) => state !== 'told' && problem !== null);
  return [...new Set(missed.map(({ to }) => to))];
}

function Call({ call, others, onDone }: CallProps) {
  const { host, guest, address, site } = call;
  const missed = notReached(call);
  const parts = [
    clock(call.at, zoneOf(site)),
    guest ? words.by(guest.name) : words.nobody,
    address ? oneLine(address) : site && siteName(site),
    call.callbackNumber && words.callback(call.callbackNumber),
  ];
  return (
    <section class="emergency">
      <Icon name="alert" size={26} />
      <div>
        <p class="emergency-title">
          {words.title(call.number, host?.nickname ?? host?.id ?? words.unknownPhone)}
        </p>
        <p>{parts.filter(Boolean).join(' · ')}</p>
        {call.stages.some(({ stage }) => stage === 'failed') && <p class="strong">{words.failed}</p>}
        {call.addressUnverified && <p class="strong">{words.unverified}</p>}
        {missed.length > 0 && <p class="strong">{texts.emergencies.notReached(missed.join(', '))}</p>}
        <p>
          <a href="/emergencies">{others > 0 ? words.more(others) : words.details}</a>
        </p>
      </div>
      {mayChange.value && (
        <Button icon="check" onClick={() => void acknowledge(call, onDone)}>
          {words.acknowledge}
        </Button>
      )}
    </section>
  );
}
