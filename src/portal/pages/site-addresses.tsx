import { send } from '../api/client.ts';
import { listHosts } from '../api/lists.ts';
import { useLive } from '../api/live.ts';
import type { Host, SiteDetails } from '../api/types.ts';
import { addressLines } from '../app/address.ts';
import { mayChange } from '../app/session.ts';
import { useLoad } from '../app/use-load.ts';
import { texts } from '../texts.ts';
import { Card, Empty, Failed, Skeleton } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/dialog.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { done, failed } from '../ui/toast.tsx';
import { AddressPill, modelOf } from './host-parts.tsx';

const words = texts.sites;
const AT_ONCE = 200;
const MOST = 1_000;

/** Phones that give the same building, those to be looked at first. */
interface Group {
  readonly lines: readonly string[];
  readonly phones: readonly Host[];
}

const isMoved = ({ location }: Host): boolean => location?.verified === false;

function groupsOf(hosts: readonly Host[]): Group[] {
  const groups = new Map<string, { lines: readonly string[]; phones: Host[] }>();
  for (const host of hosts) {
    const lines = addressLines({ ...host.address, floor: null, room: null });
    const key = lines.join('\n');
    const group = groups.get(key) ?? { lines, phones: [] };
    group.phones.push(host);
    groups.set(key, group);
  }
  const order = (a: Host, b: Host): number => Number(isMoved(b)) - Number(isMoved(a));
  return [...groups.values()].map(({ lines, phones }) => ({ lines, phones: phones.sort(order) }));
}

async function phonesAt(site: string, signal: AbortSignal): Promise<readonly Host[]> {
  const found: Host[] = [];
  for (let cursor = ''; found.length < MOST; ) {
    const page = await listHosts({ site, limit: AT_ONCE, cursor }, signal);
    found.push(...page.rows);
    if (page.next === null) break;
    cursor = page.next;
  }
  return found;
}

/** The addresses in use at a site, which phones give them, and who has moved. */
export function SiteAddresses({ site }: { readonly site: SiteDetails }) {
  const phones = useLoad(`addresses of ${site.id}`, (signal) => phonesAt(site.id, signal));
  useLive(['directory', 'moment'], phones.reload);
  if (!phones.data)
    return phones.error ? <Failed text={phones.error} onRetry={phones.reload} /> : <Skeleton lines={6} />;
  if (phones.data.length === 0)
    return (
      <Empty icon="pin" {...words.noAddresses}>
        <a class="button primary" href="/phones/common-area">
          {texts.nav.phones}
        </a>
      </Empty>
    );
  const moved = phones.data.filter(isMoved).length;
  return (
    <div>
      <p class="muted addresses-lead">{words.addressesLead}</p>
      {moved > 0 && (
        <div class="addresses-lead">
          <Notice kind="warn">{words.moved(moved)}</Notice>
        </div>
      )}
      {groupsOf(phones.data).map((group) => (
        <div class="address-group" key={group.lines.join()}>
          <AddressCard group={group} reload={phones.reload} />
        </div>
      ))}
      {phones.data.length >= MOST && <p class="muted foot-note">{words.morePhones(phones.data.length)}</p>}
    </div>
  );
}

const COLUMNS: readonly Column<Host>[] = [
  {
    key: 'phone',
    title: words.phone,
    render: (host) => (
      <span class="stack">
        <a class="row-link" href={`/phones/${encodeURIComponent(host.id)}`}>
          {host.nickname || host.id}
        </a>
        <span class="muted small">{modelOf(host)}</span>
      </span>
    ),
  },
  { key: 'where', title: words.where, render: (host) => insideOf(host) },
  {
    key: 'callback',
    title: texts.phone.callback,
    render: (host) => host.callbackNumber ?? texts.phone.siteCallback,
  },
  { key: 'state', title: words.state, render: (host) => <AddressPill host={host} /> },
];

/** Floor and room: what the lines have besides those of the building. */
function insideOf({ address }: Host): string {
  const building = new Set(addressLines({ ...address, floor: null, room: null }));
  return addressLines(address).find((line) => !building.has(line)) ?? texts.common.none;
}

function AddressCard({ group, reload }: { readonly group: Group; readonly reload: () => void }) {
  const { lines, phones } = group;
  const [name = '', ...others] = lines;
  const confirm = async (host: Host): Promise<void> => {
    try {
      await send('POST', `/hosts/${encodeURIComponent(host.id)}/address/verification`);
      done(words.confirmed(host.nickname || host.id));
    } catch (error) {
      failed(error);
    }
    reload();
  };
  return (
    <Card title={name} lead={`${others.join(', ')} · ${words.addressPhones(phones.length)}`}>
      <Table
        label={name}
        columns={COLUMNS}
        rows={phones}
        keyOf={({ id }) => id}
        nameOf={({ nickname, id }) => nickname || id}
        {...(mayChange.value && {
          rowAction: (host: Host) =>
            isMoved(host) && (
              <Button
                small
                icon="check"
                label={`${words.confirm}: ${host.nickname || host.id}`}
                onClick={() => void confirm(host)}
              >
                {words.confirm}
              </Button>
            ),
        })}
      />
    </Card>
  );
}
