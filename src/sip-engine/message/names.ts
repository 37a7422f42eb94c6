/** Compact forms (RFC 3261 7.3.3 and the registry of RFC 3968). */
const COMPACT: Record<string, string> = {
  a: 'Accept-Contact',
  b: 'Referred-By',
  c: 'Content-Type',
  d: 'Request-Disposition',
  e: 'Content-Encoding',
  f: 'From',
  i: 'Call-ID',
  j: 'Reject-Contact',
  k: 'Supported',
  l: 'Content-Length',
  m: 'Contact',
  n: 'Identity-Info',
  o: 'Event',
  r: 'Refer-To',
  s: 'Subject',
  t: 'To',
  u: 'Allow-Events',
  v: 'Via',
  x: 'Session-Expires',
  y: 'Identity',
};

const FULL = [
  'Accept Accept-Encoding Accept-Language Alert-Info Allow Authentication-Info Authorization Call-Info',
  'Content-Disposition Content-Language CSeq Date Diversion Error-Info Expires Feature-Caps Flow-Timer Geolocation',
  'Geolocation-Error Geolocation-Routing Geolocation-Error History-Info In-Reply-To Info-Package Join Max-Breadth',
  'Max-Forwards MIME-Version Min-Expires Min-SE Organization P-Access-Network-Info P-Asserted-Identity',
  'P-Called-Party-ID P-Charging-Vector P-Preferred-Identity Path Privacy Priority Proxy-Authenticate',
  'Proxy-Authorization Proxy-Require RAck Reason Record-Route Recv-Info Refer-Sub Remote-Party-ID Replaces Reply-To',
  'Require Resource-Priority Retry-After Route RSeq Server Service-Route SIP-ETag SIP-If-Match Subscription-State',
  'Target-Dialog Timestamp Unsupported User-Agent Warning WWW-Authenticate',
];

const KNOWN = new Map<string, string>();
for (const name of [...Object.values(COMPACT), ...FULL.flatMap((line) => line.split(' '))]) {
  KNOWN.set(name.toLowerCase(), name);
}
for (const [short, name] of Object.entries(COMPACT)) KNOWN.set(short, name);

const CANONICAL = new Set(KNOWN.values());

/** Spelling as seen → full name. Filled by use, so that usual spellings are not lower-cased again; bounded. */
const SPELLINGS = new Map<string, string>();
const MAX_SPELLINGS = 1_000;
for (const name of CANONICAL) SPELLINGS.set(name, name);
for (const [lower, name] of KNOWN) SPELLINGS.set(lower, name);

/** The full name in its registered spelling for any spelling or compact form; an unknown name as it is. */
export function canonicalName(name: string): string {
  const seen = SPELLINGS.get(name);
  if (seen !== undefined) return seen;
  const known = KNOWN.get(name.toLowerCase());
  if (known === undefined) return name;
  // A slice would keep its whole message alive in the map.
  if (SPELLINGS.size < MAX_SPELLINGS) SPELLINGS.set(Buffer.from(name, 'latin1').toString('latin1'), known);
  return known;
}

/** True where names are equal only if their text is, because both are canonical. */
export function isKnownName(canonical: string): boolean {
  return CANONICAL.has(canonical);
}
