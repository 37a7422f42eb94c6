import { useState } from 'preact/hooks';
import { ApiError, get, send } from '../api/client.ts';
import type { Host } from '../api/types.ts';
import { texts } from '../texts.ts';
import { Person } from '../ui/bits.tsx';
import { Confirm, Notice } from '../ui/dialog.tsx';
import { done, failed } from '../ui/toast.tsx';

const words = texts.phones;
const AT_ONCE = 4;
const MOST_NAMED = 6;

/** `Host`: somebody else is there by now, and stays until that is confirmed. */
type Outcome = 'done' | 'free' | Host;

/** Logs out who was named when it was asked, and nobody who has come after them. */
async function logOut(host: Host): Promise<Outcome> {
  const path = `/hosts/${encodeURIComponent(host.id)}`;
  const meant = host.association ? `?generation=${host.association.generation}` : '';
  try {
    await send('DELETE', `${path}/association${meant}`);
    return 'done';
  } catch (error) {
    const reason = error instanceof ApiError ? error.problem.reason : undefined;
    if (reason === 'nobodyHere') return 'free';
    if (reason !== 'changedMeanwhile') throw error;
  }
  const now = await get<Host>(path);
  return now.association ? now : 'free';
}

interface Outcomes {
  readonly free: readonly Host[];
  readonly others: readonly Host[];
  readonly done: readonly Host[];
  readonly errors: readonly unknown[];
}

/** A few at a time; one that fails does not stop the others. */
async function logOutAll(hosts: readonly Host[]): Promise<Outcomes> {
  const found = { free: [] as Host[], others: [] as Host[], done: [] as Host[], errors: [] as unknown[] };
  const waiting = [...hosts];
  const one = async (host: Host): Promise<void> => {
    const outcome = await logOut(host);
    if (outcome === 'done') found.done.push(host);
    else if (outcome === 'free') found.free.push(host);
    else found.others.push(outcome);
  };
  const work = async (): Promise<void> => {
    for (let host = waiting.shift(); host; host = waiting.shift())
      await one(host).catch((error: unknown) => found.errors.push(error));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return found;
}

/** Says what was done; throws when nothing was, and an error is all there is to say. */
function tell(hosts: readonly Host[], outcomes: Outcomes): void {
  const { free, others, errors } = outcomes;
  if (errors.length === hosts.length) throw errors[0];
  const [only] = hosts;
  if (hosts.length === 1 && only) {
    if (free.length > 0) done(words.alreadyFree(only.nickname));
    else if (others.length === 0) done(words.loggedOut(nameAt(only), only.nickname));
    return;
  }
  const freed = outcomes.done.length + free.length;
  if (errors.length > 0) failed(new ApiError({ status: 0, title: words.someNot(freed, errors.length) }));
  else if (freed > 0) done(words.loggedOutMany(freed));
}

function nameAt({ association }: Host): string {
  return association?.guest.name || association?.guest.extension || texts.phoneEdit.somebody;
}

interface LogOutProps {
  readonly hosts: readonly Host[];
  readonly onDone: () => void;
  readonly onClose: () => void;
}

/** What is asked: it does not change under whoever is about to say yes. */
interface Question {
  readonly hosts: readonly Host[];
  /** Who was to be logged out at first, when somebody else is there by now. */
  readonly before?: readonly Host[];
}

/** Logs phones out after asking; names who it is about (rule A5), and asks anew when it would hit somebody else. */
export function LogOutDialog({ hosts: given, onDone, onClose }: LogOutProps) {
  const [question, setQuestion] = useState<Question>({ hosts: given });
  const { hosts } = question;
  const [only] = hosts;
  const one = hosts.length === 1 && only?.association ? only : undefined;
  const confirm = async (): Promise<void> => {
    const outcomes = await logOutAll(hosts);
    tell(hosts, outcomes);
    onDone();
    const { others } = outcomes;
    if (others.length === 0) return onClose();
    setQuestion({ hosts: others, before: hosts.filter(({ id }) => others.some((each) => each.id === id)) });
  };
  return (
    <Confirm
      // A question of its own: Cancel has the focus again.
      key={hosts.map(({ association }) => association?.generation).join()}
      title={one ? words.confirmOne(nameAt(one), one.nickname) : words.confirmMany(hosts.length)}
      text={
        <>
          {question.before && <Notice kind="warn">{whatHappened(question.before, hosts)}</Notice>}
          <p>{words.confirmText}</p>
          {!one && <Names hosts={hosts} />}
        </>
      }
      action={one ? words.logOut : words.logOutMany(hosts.length)}
      danger
      staysOpen
      onConfirm={confirm}
      onClose={onClose}
    />
  );
}

function whatHappened(before: readonly Host[], now: readonly Host[]): string {
  const [was, is] = [before[0], now[0]];
  if (now.length > 1 || !was || !is) return words.othersThere(now.length);
  const isBack = was.association?.guest.extension === is.association?.guest.extension;
  if (isBack) return words.backAgain(nameAt(is), is.nickname);
  return words.otherThere(nameAt(was), nameAt(is), is.nickname);
}

function Names({ hosts }: { readonly hosts: readonly Host[] }) {
  const more = hosts.length - MOST_NAMED;
  return (
    <>
      <p>{words.confirmList}</p>
      <ul class="names">
        {hosts.slice(0, MOST_NAMED).map(({ id, nickname, association }) => (
          <li key={id}>
            <Person {...(association?.guest ?? { name: '', extension: '' })} />
            <span class="muted">{nickname}</span>
          </li>
        ))}
        {more > 0 && <li class="muted">{words.andMore(more)}</li>}
      </ul>
    </>
  );
}
