import { signal } from '@preact/signals';
import { render } from 'preact';
import '../style/tokens.css';
import '../style/base.css';
import '../style/parts.css';
import './phone.css';
import '../style/forced.css';
import { applyTheme } from '../app/theme.ts';
import { Button } from '../ui/button.tsx';
import { Mark } from '../ui/icons.tsx';
import { type About, type Network, type PhoneIdentity, readAbout } from './about.ts';
import { Guide } from './guide.tsx';
import { keepPlugged, keptPlugged } from './kept.ts';
import { Phone } from './model.ts';
import { type Offered, PlugIn } from './plug-in.tsx';
import { PhoneSet } from './set.tsx';
import { texts } from './texts.ts';
import { NEWCOMER } from './tour.ts';

/** The phone in the browser: a page of its own beside the portal. */

const about = signal<About | 'loading' | 'off' | 'failed'>('loading');
const phone = signal<Phone | undefined>(undefined);
const wanted = new URLSearchParams(window.location.search).get('phone') ?? undefined;

function Page() {
  return (
    <>
      <a class="skip" href="#phone">
        {texts.skip}
      </a>
      <header class="phone-head">
        <a class="phone-home" href="/">
          <Mark size={28} />
          <span>{texts.product}</span>
        </a>
        <nav aria-label={texts.title}>
          {phone.value && (
            <button type="button" class="link-button" onClick={unplug}>
              {texts.unplug}
            </button>
          )}
          <a href="/phone" target="_blank" rel="noopener">
            {texts.another} <span class="hidden">{texts.newWindow}</span>
          </a>
          <a href="/">{texts.portal}</a>
        </nav>
      </header>
      <main id="phone" tabIndex={-1}>
        <Content />
      </main>
    </>
  );
}

function Content() {
  const known = about.value;
  if (known === 'loading') return <p class="muted phone-message">{texts.loading}</p>;
  if (known === 'off') return <Message {...texts.off} />;
  if (known === 'failed')
    return (
      <Message {...texts.failed}>
        <Button onClick={read}>{texts.failed.again}</Button>
      </Message>
    );
  const set = phone.value;
  if (!set) return <PlugIn phones={offered(known)} wanted={wanted} onChosen={(one) => plugIn(one, known)} />;
  return (
    <>
      <h1 class="hidden">{set.identity.nickname}</h1>
      {hasTour(known) && <Guide phone={set} />}
      <PhoneSet key={set.identity.id} phone={set} />
      <p class="small muted phone-help">{texts.help}</p>
    </>
  );
}

function Message(words: { title: string; text: string; children?: preact.ComponentChildren }) {
  return (
    <div class="phone-message">
      <h1>{words.title}</h1>
      <p class="muted">{words.text}</p>
      {words.children}
    </div>
  );
}

/** Only where the people of the tour are. */
function hasTour({ demo }: About): boolean {
  return (
    demo?.people.some(({ extension, name }) => extension === NEWCOMER.extension && name === NEWCOMER.name) ??
    false
  );
}

function offered(known: About): Offered[] | undefined {
  const { demo } = known;
  return demo?.phones.map(({ owner, timeZone, ...plain }) => {
    const { nickname, kind } = plain;
    const ownerName = owner === null ? undefined : nameIn(known, owner);
    const hint = kind === 'user' ? texts.plugIn.own(ownerName ?? nickname) : texts.plugIn.common;
    return { ...plain, timeZone: timeZone ?? undefined, ownerName, hint };
  });
}

function nameIn({ demo }: About, extension: string): string | undefined {
  return demo?.people.find((person) => person.extension === extension)?.name;
}

function plugIn(identity: PhoneIdentity, known: About): void {
  const { url, domain, featureAccessCodes, emergencyNumbers } = known;
  const network: Network = {
    ...{ url, domain, featureAccessCodes },
    isEmergency: (number) => emergencyNumbers.includes(number),
    nameOf: (number) => nameIn(known, number),
  };
  phone.value = new Phone(identity, network);
  phone.value.start();
  keepPlugged(identity.id);
  document.title = texts.pageTitle(identity.nickname);
}

/** The page was loaded again: it is the phone it was, where nobody has to type a password for that. */
function plugInAgain(): void {
  const known = about.value;
  const id = keptPlugged();
  if (typeof known === 'string' || id === undefined || phone.value) return;
  const same = offered(known)?.find((one) => one.id === id);
  if (same) plugIn(same, known);
}

function unplug(): void {
  phone.value?.stop().catch(() => undefined);
  phone.value = undefined;
  keepPlugged(undefined);
  document.title = texts.pageTitle(texts.title);
}

function read(): void {
  about.value = 'loading';
  readAbout()
    .then((known) => {
      about.value = known;
      plugInAgain();
    })
    .catch(() => {
      about.value = 'failed';
    });
}

applyTheme();
read();
const root = document.getElementById('app');
if (root) render(<Page />, root);
