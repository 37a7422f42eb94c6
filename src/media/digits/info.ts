/** SIP INFO bodies that carry one digit. */

const RELAY = new Set(['application/dtmf-relay', 'application/vnd.nortelnetworks.digits']);
const PLAIN = 'application/dtmf';
const LONGEST_BODY = 1024;

const NAMED: Readonly<Record<string, string>> = {
  '10': '*',
  '11': '#',
  '12': 'A',
  '13': 'B',
  '14': 'C',
  '15': 'D',
  STAR: '*',
  POUND: '#',
  HASH: '#',
};

/** The digit (`0-9 * # A-D`) an INFO reports, or undefined: unknown type or signal, to be answered 415. */
export function digitOfInfo(contentType: string | undefined, body: string): string | undefined {
  if (body.length > LONGEST_BODY) return undefined;
  const type = (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (RELAY.has(type)) return digitOf(signalLine(body));
  if (type === PLAIN) return digitOf(signalLine(body) ?? body);
  return undefined;
}

/** The value of the `Signal=` or `d=` line, wherever it stands. */
function signalLine(body: string): string | undefined {
  for (const line of body.split(/\r\n|\r|\n/)) {
    const match = /^\s*(?:signal|d)\s*=(.*)$/i.exec(line);
    if (match) return match[1];
  }
  return undefined;
}

function digitOf(value: string | undefined): string | undefined {
  const text = value?.trim().toUpperCase() ?? '';
  if (/^[0-9A-D*#]$/.test(text)) return text;
  return Object.hasOwn(NAMED, text) ? NAMED[text] : undefined;
}
