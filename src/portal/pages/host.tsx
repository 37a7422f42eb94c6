import { useState } from 'preact/hooks';
import { get, send } from '../api/client.ts';
import { useLive } from '../api/live.ts';
import type { Company, Host, Stay } from '../api/types.ts';
import { addressLines } from '../app/address.ts';
import { isPerson, mayChange, siteName, zoneOf } from '../app/session.ts';
import { clock, fullTime } from '../app/time.ts';
import { useLoad } from '../app/use-load.ts';
import { texts } from '../texts.ts';
import { Card, Empty, Facts, Failed, Head, Person } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/dialog.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { done, failed } from '../ui/toast.tsx';
import { AddressDialog, HostDialog } from './host-edit.tsx';
import { ManageCard } from './host-manage.tsx';
import { AddressPill, listOf, modelOf, RegisteredPill, StatusPill, TimeLeft } from './host-parts.tsx';
import { LogOutDialog } from './log-out.tsx';
import { NotReady } from './not-ready.tsx';

const words = texts.phone;
const HISTORY = 20;
/** Where people come from who see only their own phone; `/` leads them to their settings. */
const MINE = { href: '/', text: texts.nav.me };

/** Phone details: who is on it, where it stands, and who was here before. */
export function HostPage({ id }: { readonly id: string }) {
  const path = `/hosts/${encodeURIComponent(id)}`;
  const host = useLoad(path, (signal) => get<Host>(path, signal));
  useLive(['start', 'end', 'extend', 'directory', 'moment'], host.reload);
  const back = isPerson.value ? MINE : { href: listOf(host.data), text: words.back };
  if (!host.data) return <NotReady title={texts.phones.title} loaded={host} back={back} />;
  const shown = host.data;
  return (
    <>
      <Head
        key="ready"
        title={shown.nickname || shown.id}
        back={back}
        lead={`${modelOf(shown)} · ${siteName(shown.site)}`}
        aside={
          <span class="pills">
            <StatusPill host={shown} />
            <RegisteredPill host={shown} />
          </span>
        }
      />
      <div class="columns">
        <div>
          <NowCard host={shown} reload={host.reload} />
          <AddressCard host={shown} onChange={host.set} />
        </div>
        <div>
          <AboutCard host={shown} onChange={host.set} />
          {mayChange.value && <ManageCard host={shown} />}
        </div>
      </div>
      {!isPerson.value && <HistoryCard host={shown} />}
    </>
  );
}

function NowCard({ host, reload }: { readonly host: Host; readonly reload: () => void }) {
  const [leaving, setLeaving] = useState<Host>();
  return (
    <>
      {host.association ? (
        <BusyCard host={host} onLogOut={() => setLeaving(host)} />
      ) : (
        <FreeCard host={host} />
      )}
      {leaving && <LogOutDialog hosts={[leaving]} onDone={reload} onClose={() => setLeaving(undefined)} />}
    </>
  );
}

function BusyCard({ host, onLogOut }: { readonly host: Host; readonly onLogOut: () => void }) {
  const { association } = host;
  if (!association) return null;
  const zone = zoneOf(host.site);
  return (
    <Card
      title={words.now}
      aside={
        mayChange.value && (
          <Button kind="danger" icon="logOut" onClick={onLogOut}>
            {texts.phones.logOut}
          </Button>
        )
      }
    >
      <div class="now">
        <Person {...association.guest} />
        <Facts
          rows={[
            [words.since, fullTime(association.startedAt, zone)],
            [words.until, association.expiresAt ? fullTime(association.expiresAt, zone) : texts.time.noLimit],
            [texts.phones.columns.timeLeft, <TimeLeft key="left" host={host} />],
          ]}
        />
      </div>
    </Card>
  );
}

function FreeCard({ host }: { readonly host: Host }) {
  const company = useLoad('company', (signal) => get<Company>('/company', signal));
  const code = company.data?.featureAccessCodes.logIn ?? '*90';
  return (
    <Card title={words.now}>
      {host.kind === 'unassigned' ? (
        <Empty icon="user" title={words.unassigned} text={words.unassignedText} />
      ) : host.enabled ? (
        <Empty icon="desk" title={words.free} text={words.freeText(code)} />
      ) : (
        <Empty icon="off" title={words.off} text={words.offText} />
      )}
    </Card>
  );
}

interface AddressProps {
  readonly host: Host;
  readonly onChange: (host: Host) => void;
}

function AddressCard({ host, onChange }: AddressProps) {
  const [busy, setBusy] = useState(false);
  const [editing, setEditing] = useState(false);
  const verify = async (): Promise<void> => {
    setBusy(true);
    try {
      onChange(await send<Host>('POST', `/hosts/${encodeURIComponent(host.id)}/address/verification`));
      done(words.verified);
    } catch (error) {
      failed(error);
    }
    setBusy(false);
  };
  const hasMoved = host.location?.verified === false;
  return (
    <Card title={words.address} lead={words.addressText} aside={<AddressPill host={host} />}>
      <address>
        {addressLines(host.address).map((line) => (
          <span key={line}>{line}</span>
        ))}
      </address>
      <Facts rows={[[words.callback, host.callbackNumber ?? words.siteCallback]]} />
      {mayChange.value && (
        <div class="form-actions card-foot">
          <Button small icon="pencil" label={texts.phoneEdit.addressTitle} onClick={() => setEditing(true)}>
            {texts.phoneEdit.edit}
          </Button>
        </div>
      )}
      {editing && <AddressDialog host={host} onChange={onChange} onClose={() => setEditing(false)} />}
      {hasMoved && (
        <Notice kind="warn">
          <p>{words.unverifiedText}</p>
          {mayChange.value && (
            <Button small icon="check" busy={busy} onClick={() => void verify()}>
              {words.verify}
            </Button>
          )}
        </Notice>
      )}
    </Card>
  );
}

function AboutCard({ host, onChange }: AddressProps) {
  const [editing, setEditing] = useState(false);
  const [binding] = host.bindings;
  const limit = host.associationLimitHours;
  const rows: (readonly [string, string])[] = [
    [words.model, modelOf(host)],
    [words.mac, host.mac?.match(/../g)?.join(':').toUpperCase() ?? texts.common.none],
    [words.id, host.id],
    [words.site, siteName(host.site)],
    [words.limit, limit === null ? words.companyLimit : texts.time.hoursLong(limit)],
    [words.access, words.accessLevel[host.accessLevel]],
  ];
  if (binding) rows.push([words.software, binding.userAgent || texts.common.none]);
  if (binding) rows.push([words.from, `${binding.address} (${binding.protocol.toUpperCase()})`]);
  if (host.lastSeenAt) rows.push([words.lastSeen, fullTime(host.lastSeenAt, zoneOf(host.site))]);
  if (host.owner) rows.unshift([texts.phones.columns.owner, `${host.owner.name}, ${host.owner.extension}`]);
  if (host.reservedFor) {
    const { name, extension } = host.reservedFor;
    rows.unshift([texts.phones.columns.reservedFor, `${name}, ${extension}`]);
  }
  return (
    <Card
      title={words.about}
      aside={
        mayChange.value && (
          <Button small icon="pencil" label={texts.phoneEdit.title} onClick={() => setEditing(true)}>
            {texts.phoneEdit.edit}
          </Button>
        )
      }
    >
      <Facts rows={rows} />
      {editing && <HostDialog host={host} onChange={onChange} onClose={() => setEditing(false)} />}
    </Card>
  );
}

function historyColumns(zone: string | undefined): readonly Column<Stay>[] {
  const time = (at: string) => (
    <time dateTime={at} title={fullTime(at, zone)}>
      {clock(at, zone)}
    </time>
  );
  return [
    {
      key: 'who',
      title: words.historyColumns.who,
      render: ({ guest }) => <Person name={guest.name ?? words.unknownPerson} extension={guest.extension} />,
    },
    { key: 'from', title: words.historyColumns.from, render: ({ startedAt }) => time(startedAt) },
    {
      key: 'to',
      title: words.historyColumns.to,
      render: ({ endedAt }) => (endedAt ? time(endedAt) : words.stillThere),
    },
    {
      key: 'how',
      title: words.historyColumns.how,
      render: ({ reason }) => (reason ? words.ends[reason] : texts.common.none),
    },
  ];
}

function HistoryCard({ host }: { readonly host: Host }) {
  const query = new URLSearchParams({ host: host.id, limit: String(HISTORY) });
  const path = `/audit/sessions?${query.toString()}`;
  const stays = useLoad(path, (signal) => get<{ sessions: readonly Stay[] }>(path, signal));
  useLive(['start', 'end'], stays.reload);
  const rows = stays.data?.sessions;
  return (
    <Card title={words.history}>
      {stays.error && !rows ? (
        <Failed text={stays.error} onRetry={stays.reload} />
      ) : rows?.length === 0 ? (
        <p class="muted card-text">{words.historyEmpty}</p>
      ) : (
        <Table
          label={words.history}
          columns={historyColumns(zoneOf(host.site))}
          rows={rows}
          keyOf={({ generation }) => String(generation)}
          nameOf={({ guest }) => guest.name ?? guest.extension}
        />
      )}
    </Card>
  );
}
