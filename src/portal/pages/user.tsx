import { get } from '../api/client.ts';
import { listHosts } from '../api/lists.ts';
import { useLive } from '../api/live.ts';
import type { Host, User } from '../api/types.ts';
import { account, siteName } from '../app/session.ts';
import { type Loaded, useLoad } from '../app/use-load.ts';
import { texts } from '../texts.ts';
import { Failed, Head, Pill, Skeleton, Tabs } from '../ui/bits.tsx';
import { NotReady } from './not-ready.tsx';
import { CallsCard, KeysCard } from './user-calls.tsx';
import { DetailsCard, RemoveCard } from './user-details.tsx';
import { GuestCard } from './user-guest.tsx';
import { HostCard } from './user-host.tsx';
import { LicensingCard } from './user-licensing.tsx';
import { PinCard } from './user-pin.tsx';

const words = texts.user;

/** A page of the list: nobody has more. */
const MOST_PHONES = 200;

interface UserPageProps {
  readonly extension: string;
  readonly tab: 'profile' | 'features';
}

/** A person's settings: Profile and Features. */
export function UserPage({ extension, tab }: UserPageProps) {
  const path = `/users/${encodeURIComponent(extension)}`;
  const user = useLoad(path, (signal) => get<User>(path, signal));
  const phones = useLoad(`${path} phones`, async (signal) => {
    const { rows } = await listHosts({ kind: 'user', owner: extension, limit: MOST_PHONES }, signal);
    return rows;
  });
  const reload = (): void => {
    user.reload();
    phones.reload();
  };
  useLive(['start', 'end', 'extend', 'directory'], reload);
  const isMe = account.value?.role === 'user';
  const back = isMe ? {} : { back: { href: '/users', text: words.back } };
  if (!user.data) return <NotReady title={texts.users.title} loaded={user} {...back} />;
  const { name, association } = user.data;
  return (
    <>
      <Head
        key="ready"
        title={name}
        lead={`${words.extension(extension)} · ${siteName(user.data.site)}`}
        {...back}
        aside={
          association && (
            <Pill tone="busy" icon="desk">
              {words.loggedInAt(association.host.nickname || association.host.id)}
            </Pill>
          )
        }
      />
      <Tabs
        label={words.tabsLabel}
        current={tab === 'profile' ? path : `${path}/features`}
        tabs={[
          { href: path, text: words.tabs.profile },
          { href: `${path}/features`, text: words.tabs.features },
        ]}
      />
      {tab === 'profile' ? (
        <Profile user={user.data} onChange={user.set} />
      ) : (
        <Features user={user.data} onChange={user.set} phones={phones} reload={reload} />
      )}
    </>
  );
}

interface ProfileProps {
  readonly user: User;
  readonly onChange: (user: User) => void;
}

function Profile({ user, onChange }: ProfileProps) {
  const isMe = account.value?.role === 'user';
  return (
    <div class="columns">
      <div>
        {!isMe && <LicensingCard user={user} onChange={onChange} />}
        {isMe && <DetailsCard user={user} onChange={onChange} />}
      </div>
      <div>
        {!isMe && <DetailsCard user={user} onChange={onChange} />}
        {!isMe && <RemoveCard user={user} />}
      </div>
    </div>
  );
}

interface FeaturesProps extends ProfileProps {
  readonly phones: Loaded<readonly Host[]>;
  readonly reload: () => void;
}

function Features({ user, onChange, phones, reload }: FeaturesProps) {
  return (
    <div class="columns even">
      <div>
        <GuestCard user={user} onChange={onChange} reload={reload} />
        <CallsCard user={user} onChange={onChange} />
      </div>
      <div>
        {phones.data ? (
          <HostCard user={user} phones={phones.data} reload={reload} />
        ) : phones.error ? (
          <Failed text={phones.error} onRetry={phones.reload} />
        ) : (
          <Skeleton lines={4} />
        )}
        <PinCard user={user} reload={reload} />
        <KeysCard user={user} onChange={onChange} />
      </div>
    </div>
  );
}
