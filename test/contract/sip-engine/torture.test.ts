import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawDialog, RawSipPeer } from '../../support/raw-sip-peer.ts';
import { type AppHandler, Bench, turns } from './support/bench.ts';

interface Entry {
  name: string;
  file: string;
  section: string;
  cls: 'valid' | 'invalid' | 'lenient' | 'semantic';
  kind: 'request' | 'response';
  expect: string;
}

const folder = new URL('../../../../shared/torture/', import.meta.url);
const manifest = new URL('manifest.json', folder);
const entries: Entry[] = existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')) : [];
const HANDLED = [
  'invite',
  'register',
  'options',
  'message',
  'info',
  'subscribe',
  'publish',
  'notify',
  'refer',
] as const;
/** What is left to the application, which in this test says 200 to everything (RFC 3261 8.2.2.3, 8.2.3). */
const APPLICATION_DUTIES = ['420', '415', '406', '401'];

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open();
  const ok: AppHandler = (_req, res) => res.send(200);
  await bench.app((srf) => {
    for (const method of HANDLED) srf[method](ok);
  });
});
afterAll(() => bench.close());

/** Statuses that are right, or nothing for silence. */
function right(entry: Entry): (status: number | undefined) => boolean {
  const statuses = entry.expect.match(/\d{3}/g) ?? [];
  if (statuses.length === 0) return (status) => status === undefined;
  if (entry.expect.includes('any final')) return (status) => (status ?? 0) >= 200;
  const appDecides = APPLICATION_DUTIES.includes(statuses[0]!) || entry.expect.includes('registrar');
  // Malformed messages that RFC 4475 allows to repair may be accepted as well.
  const accepted = entry.cls === 'lenient' || appDecides ? ['200'] : [];
  return (status) => [...statuses, ...accepted].includes(String(status));
}

/** The message with its top Via changed to UDP: over UDP no other can be answered where it came from. */
function asUdp(file: string): string {
  const text = readFileSync(new URL(file, folder), 'latin1');
  return text.replace(/^(v|via)(\s*:\s*SIP\s*\/\s*2\.0\s*\/\s*)(TCP|TLS|SCTP)/im, '$1$2UDP');
}

/** Status of the final answer to a message, undefined when an OPTIONS sent behind it is answered and it is not. */
async function finalAnswer(text: string): Promise<number | undefined> {
  const { host, port } = bench.address('udp');
  const peer = await RawSipPeer.open({ to: { host, port } });
  peer.send(text);
  await turns(20);
  const probe = new RawDialog(peer, bench.uri('probe'));
  probe.send('OPTIONS');
  await peer.next((one) => one.status === 200 && one.header('Call-ID') === probe.callId);
  const answers = peer.received.filter((one) => one.status >= 200 && one.header('Call-ID') !== probe.callId);
  await peer.close();
  return answers[0]?.status;
}

describe('RFC 4475 torture messages over UDP', () => {
  if (entries.length === 0) {
    console.log('RFC 4475 over UDP: NOT RUN, because ../shared/torture is not here');
    it('has no corpus on this machine', () => expect(entries).toEqual([]));
    return;
  }

  it.each(entries)('$name ($section): $expect', async (entry) => {
    const status = await finalAnswer(asUdp(entry.file));
    expect(right(entry)(status), `answered ${status ?? 'nothing'}`).toBe(true);
  });

  it('did not fail inside', () => {
    expect(bench.log.filter((one) => one.level === 'error')).toEqual([]);
    expect(bench.engine.stats().handlerErrors).toBe(0);
  });
});
