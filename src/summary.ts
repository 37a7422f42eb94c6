import type { Company, Directory } from './domain/directory.ts';

export interface Addresses {
  readonly sip: readonly { readonly protocol: string; readonly host: string; readonly port: number }[];
  readonly http: { readonly host: string; readonly port: number };
}

export interface SummaryFacts {
  readonly addresses: Addresses;
  readonly directory: Directory | undefined;
  readonly demo: boolean;
  readonly domain: string;
  /** Where the administrator's token is, when we made it. */
  readonly tokenFile: string | undefined;
  /** Whether there is a phone in the browser. */
  readonly webPhone?: boolean;
  /** While there is no account: where the code for the first administrator is, and the code where it may be shown. */
  readonly setUp?: { readonly file: string; readonly code: string | undefined } | undefined;
}

/** What somebody who has just started Hotdesk wants to know, and nothing else. */
export function describe(facts: SummaryFacts): string {
  const { addresses, directory, demo, domain, tokenFile, setUp, webPhone } = facts;
  const portal = `http://${addresses.http.host}:${addresses.http.port}`;
  const api = `${portal}/api/v1`;
  const sip = addresses.sip.map(({ protocol, host, port }) => `${host}:${port}/${protocol}`);
  const company = directory?.company;
  return [
    '',
    `  Hotdesk is ready${directory ? ` for ${directory.company.name}` : ', but has no directory yet'}.`,
    '',
    `  SIP      ${[...new Set(sip)].join('  ')}   domain ${domain}`,
    `  API      ${api}   token in ${tokenFile ?? 'your configuration'}`,
    portalLine(portal, setUp),
    ...(webPhone ? [`  Phone    ${portal}/phone   in your browser; open two and call each other`] : []),
    ...(demo && directory ? demoLines(directory) : []),
    ...(company ? ['', ...dialLines(company)] : []),
    ...(demo ? ['           any outside number, or 999, to hear who you are'] : []),
    '',
  ].join('\n');
}

/** The code alone makes an administrator: it is shown where everybody who can see it sits at this machine. */
function portalLine(portal: string, setUp: SummaryFacts['setUp']): string {
  if (!setUp) return `  Portal   ${portal}`;
  const { file, code } = setUp;
  return `  Portal   ${portal}/setup${code === undefined ? `   code for the first administrator in ${file}` : `#${code}`}`;
}

function dialLines({ featureAccessCodes: codes, voicePortal, voicemailNumber }: Company): string[] {
  const services = [
    ...(voicePortal ? [`${voicePortal.number} voice portal`] : []),
    ...(voicemailNumber === undefined ? [] : [`${voicemailNumber} voicemail`]),
  ];
  return [
    `  Dial     ${codes.logIn} to log in, ${codes.logOut} to log out`,
    ...(services.length > 0 ? [`           ${services.join(', ')}`] : []),
  ];
}

function demoLines(directory: Directory): string[] {
  const phones = sorted(directory.hosts).map(
    ({ id, nickname, model }) => `  ${id.padEnd(16)} ${nickname} (${model}), SIP password demo-${id}`,
  );
  const people = sorted(directory.users).map(
    ({ extension, name, hotDeskLicence }) =>
      `  ${extension.padEnd(16)} ${name}${hotDeskLicence ? '' : ', no hot desk licence'}`,
  );
  return ['', '  Phones', ...indent(phones), '', '  People (PINs in config/demo.yaml)', ...indent(people)];
}

function sorted<T>(entries: ReadonlyMap<string, T>): T[] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
