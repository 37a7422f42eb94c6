import { ApiError, send } from '../api/client.ts';
import type { Host } from '../api/types.ts';
import { texts } from '../texts.ts';
import { Person } from '../ui/bits.tsx';
import { Confirm } from '../ui/dialog.tsx';
import { done, failed } from '../ui/toast.tsx';

const words = texts.phones;
const AT_ONCE = 4;
const MOST_NAMED = 6;

async function logOut({ id, nickname }: Host): Promise<'done' | 'free'> {
  try {
    await send('DELETE', `/hosts/${encodeURIComponent(id)}/association`);
    return 'done';
  } catch (error) {
    if (!(error instanceof ApiError) || error.problem.reason !== 'nobodyHere') throw error;
    done(words.alreadyFree(nickname));
    return 'free';
  }
}

/** A few at a time; one that fails does not stop the others. */
async function logOutAll(hosts: readonly Host[]): Promise<void> {
  const errors: unknown[] = [];
  const waiting = [...hosts];
  const work = async (): Promise<void> => {
    for (let host = waiting.shift(); host; host = waiting.shift()) {
      await logOut(host).catch((error: unknown) => errors.push(error));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (errors.length === hosts.length) throw errors[0];
  if (errors.length > 0)
    failed(new ApiError({ status: 0, title: words.someNot(hosts.length - errors.length, errors.length) }));
  else done(words.loggedOutMany(hosts.length));
}

async function logOutOne(host: Host): Promise<void> {
  const name = host.association?.guest.name ?? '';
  if ((await logOut(host)) === 'done') done(words.loggedOut(name, host.nickname));
}

interface LogOutProps {
  readonly hosts: readonly Host[];
  readonly onDone: () => void;
  readonly onClose: () => void;
}

/** Logs phones out after asking; names who it is about (rule A5). */
export function LogOutDialog({ hosts, onDone, onClose }: LogOutProps) {
  const [only] = hosts;
  const one = hosts.length === 1 && only?.association ? only : undefined;
  const confirm = async (): Promise<void> => {
    await (one ? logOutOne(one) : logOutAll(hosts));
    onDone();
  };
  return (
    <Confirm
      title={
        one
          ? words.confirmOne(one.association?.guest.name ?? '', one.nickname)
          : words.confirmMany(hosts.length)
      }
      text={
        <>
          <p>{words.confirmText}</p>
          {!one && <Names hosts={hosts} />}
        </>
      }
      action={one ? words.logOut : words.logOutMany(hosts.length)}
      danger
      onConfirm={confirm}
      onClose={onClose}
    />
  );
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
