import { useState } from 'preact/hooks';
import { get, send } from '../api/client.ts';
import { useLive } from '../api/live.ts';
import type { SiteDetails } from '../api/types.ts';
import { navigate } from '../app/router.ts';
import { isAdministrator, mayChange, readSites } from '../app/session.ts';
import { useLoad } from '../app/use-load.ts';
import { texts } from '../texts.ts';
import { Card, Head, Tabs } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/dialog.tsx';
import { done } from '../ui/toast.tsx';
import { NotReady } from './not-ready.tsx';
import { inWords } from './person-fields.tsx';
import { SiteAddresses } from './site-addresses.tsx';
import { SiteForm } from './site-form.tsx';

const words = texts.sites;
const BACK = { href: '/sites', text: words.back };

interface SitePageProps {
  readonly id: string;
  readonly tab: 'settings' | 'addresses';
}

/** A site: its settings, and the addresses its phones send. */
export function SitePage({ id, tab }: SitePageProps) {
  const path = `/sites/${encodeURIComponent(id)}`;
  const site = useLoad(path, (signal) => get<SiteDetails>(path, signal));
  useLive(['directory'], site.reload);
  if (!site.data) return <NotReady title={words.title} loaded={site} back={BACK} />;
  const shown = site.data;
  return (
    <>
      <Head key="ready" title={shown.name} lead={shown.timeZone} back={BACK} />
      <Tabs
        label={words.tabsLabel}
        current={tab === 'settings' ? path : `${path}/addresses`}
        tabs={[
          { href: path, text: words.tabs.settings },
          { href: `${path}/addresses`, text: words.tabs.addresses },
        ]}
      />
      {tab === 'addresses' ? (
        <SiteAddresses site={shown} />
      ) : (
        <div class="form">
          <SiteForm
            key={JSON.stringify(shown)}
            site={shown}
            may={mayChange.value}
            onSaved={(saved) => {
              site.set(saved);
              // What was read is what the next change is held against.
              site.reload();
              done(words.saved(saved.name));
            }}
          />
          {isAdministrator.value && <RemoveCard site={shown} />}
        </div>
      )}
    </>
  );
}

function RemoveCard({ site }: { readonly site: SiteDetails }) {
  const [asking, setAsking] = useState(false);
  const remove = async (): Promise<void> => {
    await inWords(send('DELETE', `/sites/${encodeURIComponent(site.id)}`), words.inUse);
    await readSites();
    done(words.removed(site.name));
    navigate('/sites');
  };
  return (
    <Card title={words.remove} lead={words.removeLead}>
      <Button icon="trash" onClick={() => setAsking(true)}>
        {words.remove}
      </Button>
      {asking && (
        <Confirm
          danger
          title={words.removeConfirm(site.name)}
          text={<p>{words.removeText}</p>}
          action={words.remove}
          onConfirm={remove}
          onClose={() => setAsking(false)}
        />
      )}
    </Card>
  );
}

/** Sites › Add a site. */
export function NewSitePage() {
  return (
    <>
      <Head title={words.add} lead={words.addLead} back={BACK} />
      {isAdministrator.value ? (
        <SiteForm
          may
          onSaved={({ id, name }) => {
            done(words.added(name));
            navigate(`/sites/${encodeURIComponent(id)}`);
          }}
        />
      ) : (
        <p class="muted">{words.readOnly}</p>
      )}
    </>
  );
}
