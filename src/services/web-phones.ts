import type { Directory, Host } from '../domain/directory.ts';
import type { NumberPlan, View } from '../domain/view.ts';
import { demoPassword, hasDemoPassword } from './digest-secrets.ts';

/** Of each, what a page can show. */
const MOST = 50;
const MOST_NUMBERS = 500;

export interface WebPhonesOptions {
  readonly view: Pick<View, 'directory'>;
  /** WebSocket phones in browsers connect to; undefined: there are none. */
  readonly url: string | undefined;
  /** SIP domain and digest realm. */
  readonly domain: string;
  readonly plan: Pick<NumberPlan, 'isEmergency'>;
  /** Whether the phones of the demo data may be had without a password. */
  readonly demo: boolean;
}

export interface DemoPhone {
  readonly host: Host;
  /** IANA; of the site it stands at, whose clock it shows. */
  readonly timeZone: string | undefined;
  readonly password: string;
}

/** What a phone in a browser needs to know. */
export interface WebPhoneFacts {
  readonly url: string;
  readonly domain: string;
  readonly featureAccessCodes: { readonly logIn: string; readonly logOut: string };
  /** As they are dialled at any site, with and without its outside-line prefix. */
  readonly emergencyNumbers: readonly string[];
  /** Phones anybody may be, and who is who; undefined: one has to know a phone and its password. */
  readonly demo: { readonly phones: readonly DemoPhone[]; readonly people: readonly Person[] } | undefined;
}

interface Person {
  readonly extension: string;
  readonly name: string;
}

const SHORT_NUMBERS: readonly string[] = [2, 3].flatMap(shortNumbers);

/** Phones in browsers: where they connect, and which phones of the demo they may be. */
export class WebPhones {
  readonly #options: WebPhonesOptions;
  readonly #demos = new WeakMap<Directory, WebPhoneFacts['demo'] & object>();

  constructor(options: WebPhonesOptions) {
    this.#options = options;
  }

  get url(): string | undefined {
    return this.#options.url;
  }

  /** Undefined: there are no phones in browsers, or nothing is known of the company yet. */
  about(): WebPhoneFacts | undefined {
    const { url, domain, demo, view } = this.#options;
    const { directory } = view;
    if (url === undefined || !directory) return undefined;
    const { featureAccessCodes } = directory.company;
    const emergencyNumbers = this.#emergencyNumbersOf(directory);
    const offered = demo ? this.#demoOf(directory) : undefined;
    return { url, domain, featureAccessCodes, emergencyNumbers, demo: offered };
  }

  /** The country's of two and three digits, which are all but a handful, and what the sites add. */
  #emergencyNumbersOf({ sites }: Directory): readonly string[] {
    const all = [...sites.values()];
    const national = SHORT_NUMBERS.filter((digits) => this.#options.plan.isEmergency(digits));
    const numbers = new Set([...national, ...all.flatMap(({ emergencyNumbers }) => emergencyNumbers)]);
    const prefixes = new Set(['', ...all.map(({ outsideLinePrefix }) => outsideLinePrefix)]);
    return [...prefixes]
      .flatMap((prefix) => [...numbers].map((number) => prefix + number))
      .slice(0, MOST_NUMBERS);
  }

  /** Only phones whose password is the one everybody can read; names only where there are such phones. */
  #demoOf(directory: Directory): WebPhoneFacts['demo'] & object {
    const known = this.#demos.get(directory);
    if (known) return known;
    const published = [...directory.hosts.values()].filter((host) =>
      hasDemoPassword(host, this.#options.domain),
    );
    const phones = first(published, ({ id }) => id).map((host) => ({
      host,
      timeZone: directory.sites.get(host.site)?.timeZone,
      password: demoPassword(host.id),
    }));
    const users = phones.length > 0 ? [...directory.users.values()] : [];
    const people = first(users, ({ extension }) => extension).map(({ extension, name }) => ({
      extension,
      name,
    }));
    const made = { phones, people };
    this.#demos.set(directory, made);
    return made;
  }
}

function shortNumbers(length: number): string[] {
  return Array.from({ length: 10 ** length }, (_, number) => String(number).padStart(length, '0'));
}

function first<T>(entries: readonly T[], key: (entry: T) => string): T[] {
  return [...entries].sort((one, other) => (key(one) < key(other) ? -1 : 1)).slice(0, MOST);
}
