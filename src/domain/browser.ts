/** Which browser it is, as far as it says so: for people who look at where they are signed in. */
export interface Browser {
  /** Such as `Firefox`; undefined: none that is known. */
  readonly name: string | undefined;
  /** What it runs on, such as `Windows`. */
  readonly system: string | undefined;
}

/** The first that fits: most say that they are others besides. */
const NAMES: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(e|A|iOS)?\//, 'Edge'],
  [/\b(OPR|OPiOS|Opera)\//, 'Opera'],
  [/\bVivaldi\//, 'Vivaldi'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(HeadlessChrome|Chrome|Chromium|CriOS)\//, 'Chrome'],
  [/\bVersion\/.*\bSafari\//, 'Safari'],
];
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bMac(intosh| OS X)\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
];
/** What stands behind this is of no use, and none of it is ours to read for long. */
const LONGEST = 500;

/** Out of a User-Agent (RFC 9110 10.1.5), whose words anybody may have made up: only known ones come out. */
export function browserOf(userAgent: string | undefined): Browser {
  const text = (userAgent ?? '').slice(0, LONGEST);
  const first = (table: typeof NAMES): string | undefined =>
    table.find(([pattern]) => pattern.test(text))?.[1];
  return { name: first(NAMES), system: first(SYSTEMS) };
}
