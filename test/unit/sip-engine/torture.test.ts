import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseMessage } from '../../../src/sip-engine/message/parse.ts';
import { checkSanity } from '../../../src/sip-engine/message/sanity.ts';

interface Entry {
  name: string;
  file: string;
  cls: 'valid' | 'invalid' | 'lenient' | 'semantic';
  kind: 'request' | 'response';
  expect: string;
}

const folder = new URL('../../../../shared/torture/', import.meta.url);
const manifest = new URL('manifest.json', folder);
const entries: Entry[] = existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')) : [];

/** 'accept', 'drop' or the status of the answer. */
function judge(entry: Entry): string {
  const message = parseMessage(readFileSync(new URL(entry.file, folder), 'latin1'), 'datagram');
  if (message === undefined) return 'drop';
  const verdict = checkSanity(message);
  return verdict.action === 'reject' ? String(verdict.status) : verdict.action;
}

/** What parser and sanity check must say; what the manifest expects of higher layers comes later. */
function acceptable(entry: Entry): string[] {
  const statuses = entry.expect.split('/');
  if (entry.cls === 'invalid') return statuses;
  if (entry.expect === '416') return ['416'];
  return entry.cls === 'lenient' ? [...statuses, 'accept'] : ['accept'];
}

describe('RFC 4475 torture messages', () => {
  if (entries.length === 0) {
    console.log('RFC 4475: NOT RUN, because ../shared/torture is not here');
    it('has no corpus on this machine', () => expect(entries).toEqual([]));
    return;
  }

  it('has all 49', () => expect(entries).toHaveLength(49));

  it.each(entries)('$name ($cls, $expect)', (entry) => {
    expect(acceptable(entry)).toContain(judge(entry));
  });

  it('mpart01 keeps every octet of its body', () => {
    const text = readFileSync(new URL('rfc4475/mpart01.dat', folder), 'latin1');
    const body = parseMessage(text, 'datagram')?.body ?? '';
    expect(body).toHaveLength(553);
    expect(text.endsWith(body)).toBe(true);
  });

  it('wsinv is understood, not only accepted', () => {
    const message = parseMessage(readFileSync(new URL('rfc4475/wsinv.dat', folder), 'latin1'), 'datagram');
    expect(message?.topVia).toMatchObject({ host: '192.0.2.2', branch: '390skdjuw' });
    expect(message?.getAll('Via').join(',').split(',')).toHaveLength(3);
    expect(message?.from).toMatchObject({ display: 'J Rosenberg \\"', tag: '98asjd8' });
    expect(message?.cseq).toEqual({ seq: 9, method: 'INVITE' });
    expect(message?.get('NewFangledHeader')).toBe('newfangled value continued newfangled value');
    expect(message?.body).toHaveLength(150);
  });

  it('dblreq is the REGISTER alone', () => {
    const message = parseMessage(readFileSync(new URL('rfc4475/dblreq.dat', folder), 'latin1'), 'datagram');
    expect([message?.method, message?.body]).toEqual(['REGISTER', '']);
  });
});
