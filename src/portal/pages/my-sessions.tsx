import { useState } from 'preact/hooks';
import { get, send } from '../api/client.ts';
import { useLive } from '../api/live.ts';
import type { OwnSession } from '../api/types.ts';
import { readSession } from '../app/session.ts';
import { clock, fullTime, now, span } from '../app/time.ts';
import { useLoad } from '../app/use-load.ts';
import { texts } from '../texts.ts';
import { Card, Failed, Pill, Skeleton } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/dialog.tsx';
import { Icon } from '../ui/icons.tsx';
import { done } from '../ui/toast.tsx';
import { zoneFor } from './audit-parts.tsx';

const words = texts.sessions;
const MOBILE = ['iPhone', 'iPad', 'Android'];
const JUST_NOW_MS = 60_000;

/** Where one is signed in: each browser, with a way to end it. */
export function SessionsCard() {
  const [asking, setAsking] = useState<OwnSession | 'others'>();
  const list = useLoad('sessions', async (signal) => {
    const { sessions } = await get<{ sessions: readonly OwnSession[] }>('/sessions', signal);
    return sessions;
  });
  useLive(['notice', 'moment'], list.reload);
  return (
    <Card
      title={words.title}
      lead={words.lead}
      aside={
        <Button icon="logOut" onClick={() => setAsking('others')}>
          {words.endOthers}
        </Button>
      }
    >
      {list.data ? (
        <ul class="sessions">
          {list.data.map((session) => (
            <Row key={session.id} session={session} onEnd={() => setAsking(session)} />
          ))}
        </ul>
      ) : list.error ? (
        <Failed text={list.error} onRetry={list.reload} />
      ) : (
        <Skeleton lines={3} />
      )}
      {asking && <Asked what={asking} reload={list.reload} onClose={() => setAsking(undefined)} />}
    </Card>
  );
}

function nameOf({ browser: { name, system } }: OwnSession): string {
  if (name === null) return system === null ? words.unknown : words.unknownOn(system);
  return system === null ? name : words.browserOn(name, system);
}

function Row({ session, onEnd }: { readonly session: OwnSession; readonly onEnd: () => void }) {
  const { address, startedAt, browser, current } = session;
  const zone = zoneFor('');
  return (
    <li>
      <span class="session-icon">
        <Icon name={MOBILE.includes(browser.system ?? '') ? 'mobile' : 'screen'} size={20} />
      </span>
      <span class="session-what">
        <span class="session-name">
          <span class="strong">{nameOf(session)}</span>
          {current && (
            <Pill tone="ok" icon="check">
              {words.current}
            </Pill>
          )}
        </span>
        <span class="muted small">
          {words.from(address)} · {usedOf(session)} ·{' '}
          <time dateTime={startedAt} title={fullTime(startedAt, zone)}>
            {words.signedIn(clock(startedAt, zone))}
          </time>
        </span>
      </span>
      {!current && (
        <Button small icon="logOut" label={words.endLabel(nameOf(session), address)} onClick={onEnd}>
          {words.end}
        </Button>
      )}
    </li>
  );
}

function usedOf({ lastUsedAt, current }: OwnSession): string {
  const ago = now.value - Date.parse(lastUsedAt);
  if (current) return words.usedNow;
  return ago < JUST_NOW_MS ? words.usedJustNow : words.used(span(ago));
}

interface AskedProps {
  readonly what: OwnSession | 'others';
  readonly reload: () => void;
  readonly onClose: () => void;
}

function Asked({ what, reload, onClose }: AskedProps) {
  if (what === 'others') {
    const end = async (): Promise<void> => {
      await send('DELETE', '/session/others');
      // It is another session now, with another token for changes.
      await readSession();
      reload();
      done(words.othersEnded);
    };
    return (
      <Confirm
        {...{ title: words.othersTitle, action: words.endOthers, onConfirm: end, onClose }}
        text={<p>{words.othersText}</p>}
      />
    );
  }
  const name = nameOf(what);
  const end = async (): Promise<void> => {
    await send('DELETE', `/sessions/${encodeURIComponent(what.id)}`).finally(reload);
    done(words.ended(name));
  };
  return (
    <Confirm
      {...{ title: words.endTitle(name), action: words.endAction, onConfirm: end, onClose }}
      text={<p>{words.endText(what.address)}</p>}
    />
  );
}
