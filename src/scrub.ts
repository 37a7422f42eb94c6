/**
 * Takes secrets out of what is about to be logged: passcode digits, passwords, tokens, Authorization headers, digest
 * values, whatever their path and however deep. A path list alone leaks: raw SIP text and error messages have no path.
 */

const GONE = '[scrubbed]';
const MAX_DEPTH = 8;
/** Values looked at per log line; a SIP request object reaches half the process. */
const MAX_VALUES = 2_000;
const MAX_ITEMS = 200;
const MAX_TEXT = 32 * 1024;

/** Words that make a key secret wherever they stand in it: `adminToken`, `portal_password`. */
const SECRET_WORDS = new Set(
  'pin pass password passwd passcode digit digits collected dtmf secret authorization cookie token pepper'.split(
    ' ',
  ),
);
/** Names that are secret as a whole; inside other names (`responseTime`) they are not. */
const SECRET_NAMES = new Set(['nonce', 'cnonce', 'response', 'digest', 'ha1', 'credential']);

function isSecretName(key: string): boolean {
  if (SECRET_NAMES.has(key.toLowerCase())) return true;
  const words = key.replace(/([a-z0-9])([A-Z])/g, '$1 $2').split(/[^A-Za-z0-9]+/);
  return words.some((word) => SECRET_WORDS.has(word.toLowerCase()));
}

const SECRET_KEYS_IN_TEXT =
  'pin|pass|password|passwd|passcode|secret|token|cookie|dtmf|digits?|collected|pepper';
/** Digits as people and programs write them: `5839`, `5 8 3 9`, `["5","8"]`, `5*8#`. */
const DIGITS = String.raw`[0-9*#](?:[\s,"'\\\[\]-]{0,4}[0-9*#])*`;

/** Each pattern with what stands in its place. Order matters: whole lines first, single values after. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  // The header, its folded lines, and the same inside a quoted string where line ends are written \r\n.
  [
    /\b((?:proxy-)?authorization|(?:www|proxy)-authenticate|authentication-info|(?:set-)?cookie)(["']?\s*:)(?:[^\r\n\\]|\\(?![rn])|(?:\r\n|\r|\n|(?:\\r)?\\n)[ \t]+)*/gi,
    `$1$2 ${GONE}`,
  ],
  [/\b(Bearer|Basic)\s+[\w.~+/-]{8,}=*/g, `$1 ${GONE}`],
  [/\b(response|c?nonce|nextnonce|rspauth|opaque)(\\?["']?\s*)=\s*(?:\\?"[^"]*"|[^\s,;]+)/gi, `$1$2=${GONE}`],
  [/(["'](?:response|c?nonce)\\?["']\s*:\s*)(\\?["'])[^"']*/gi, `$1$2${GONE}`],
  // Guest In keys (x-broadworks-hoteling).
  [/(<(?:[\w.-]{1,64}:)?(?:nonce|response)\b[^<>]{0,256}>)[^<]*/gi, `$1${GONE}`],
  // A DTMF body is nothing but digits: the rest of the message goes.
  [/(application\/dtmf(?:-relay)?\b)[\s\S]*/gi, `$1 ${GONE}`],
  [/\b(signal\s*[=:]\s*)[0-9a-d*#]+/gi, `$1${GONE}`],
  // `*901001…`: what is dialled behind a feature access code.
  [/((?:\*|%2a)\d\d)(?:[\d*#]|%2[a3])+/gi, `$1${GONE}`],
  [
    new RegExp(
      String.raw`\b((?:pins?|passcodes?|typed|digits?|dtmf|collected|entered)\b[^0-9*#\r\n]{0,24})${DIGITS}`,
      'gi',
    ),
    `$1${GONE}`,
  ],
  [
    new RegExp(
      String.raw`\b([\w-]{0,32}(?:${SECRET_KEYS_IN_TEXT})\\?["']?\s*[=:]\s*)(?:\\?"[^"]*"|'[^']*'|[^\s,;&}\]]+)`,
      'gi',
    ),
    `$1${GONE}`,
  ],
  // "code" also stands before 404 and exit 1; a passcode has at least four digits.
  [/\b(codes?\b\W{0,3}(?:is\s+|was\s+)?["']?)(?:\d[\s,-]?){4,}/gi, `$1${GONE}`],
  [/(\/\/[^\s/:@]*:)[^\s/@]+@/g, `$1${GONE}@`],
];

/** Each pattern needs one of these; most text has none and is done with one look. */
const HINT =
  /auth|cookie|bearer|basic|response|nonce|opaque|dtmf|signal|pin|pass|secret|token|digit|typed|collected|entered|pepper|code|\*|%2a|\/\//i;

/** Text without secrets, cut at 32 KiB. Takes time linear to its length. */
export function scrubText(text: string): string {
  let result = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}[…]` : text;
  if (!HINT.test(result)) return result;
  for (const [pattern, replacement] of PATTERNS) result = result.replace(pattern, replacement);
  return result;
}

/** State of one walk: how many values are left to look at, and which objects are above this one. */
interface Walk {
  left: number;
  readonly above: object[];
}

function scrubError(error: Error, walk: Walk): object {
  const { name, message, stack, cause, ...rest } = error as Error & { cause?: unknown };
  return {
    type: error.constructor?.name ?? name,
    message: scrubText(String(message)),
    stack: scrubText(String(stack)),
    ...(cause === undefined ? {} : { cause: scrub(cause, walk) }),
    ...scrubEntries(Object.entries(rest), walk),
  };
}

function scrubEntries(entries: readonly (readonly [string, unknown])[], walk: Walk): object {
  const pairs = entries.slice(0, MAX_ITEMS).map(([key, value]) => {
    const secret = isSecretName(key) && value !== undefined && value !== null && typeof value !== 'boolean';
    return [scrubText(key), secret ? GONE : scrub(value, walk)] as const;
  });
  return Object.fromEntries(pairs);
}

/** One key per array element: a list of single keys of a phone is a passcode, whatever its name. */
function isKeyPresses(list: readonly unknown[]): boolean {
  return list.length >= 4 && list.every((item) => /^[0-9*#A-D]$/.test(String(item)));
}

function scrubList(list: readonly unknown[], walk: Walk): unknown {
  if (isKeyPresses(list)) return GONE;
  const items = list.slice(0, MAX_ITEMS).map((item) => scrub(item, walk));
  return list.length > MAX_ITEMS ? [...items, '[…]'] : items;
}

function scrubObject(value: object, walk: Walk): unknown {
  if (value instanceof Error) return scrubError(value, walk);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} octets]`;
  if (Array.isArray(value)) return scrubList(value, walk);
  if (value instanceof Map)
    return scrubEntries(
      [...value].map(([key, item]) => [String(key), item]),
      walk,
    );
  if (value instanceof Set) return scrub([...value], walk);
  if ('toJSON' in value && typeof value.toJSON === 'function') return scrub(value.toJSON(), walk);
  return scrubEntries(Object.entries(value), walk);
}

function scrub(value: unknown, walk: Walk): unknown {
  if (typeof value === 'string') return scrubText(value);
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (walk.above.includes(value)) return '[circular]';
  walk.left -= 1;
  if (walk.above.length >= MAX_DEPTH || walk.left < 0) return '[…]';
  walk.above.push(value);
  const result = scrubObject(value, walk);
  walk.above.pop();
  return result;
}

/**
 * A copy of any value without secrets, fit for JSON: depth at most 8, 200 entries of each, errors, maps and sets as plain objects. What
 * cannot be read (a getter that throws) becomes a word: a log line never breaks the work it tells about.
 */
export function scrubValue(value: unknown): unknown {
  try {
    return scrub(value, { left: MAX_VALUES, above: [] });
  } catch {
    return '[unreadable]';
  }
}
