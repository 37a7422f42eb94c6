import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PHONES } from '../../support/demo.ts';
import { Caller, Psap, UK_FORMS } from '../../support/emergency-load.ts';
import { ADMIN_TOKEN, type Hotdesk, startHotdesk } from '../../support/hotdesk.ts';

/** Design section 7: emergency calls wait for nobody, and least of all for an administrator who imports a directory. */

const PEOPLE = 30_000;
const EVERY_MS = 20;
/** Counted from when a call was to be made: a node that stands still makes its callers here late, too. */
const LATE_MS = 300;

let psap: Psap;
let hotdesk: Hotdesk;

beforeAll(async () => {
  psap = await new Psap('127.0.0.4').open();
  const { host, port } = psap.address;
  hotdesk = await startHotdesk({
    trunkSettings: { emergency: { uri: `sip:${host}:${port};transport=udp` } },
  });
  await hotdesk.phone(PHONES.reception);
});

afterAll(async () => {
  await hotdesk?.stop();
  psap?.close();
});

test('emergency calls are decided while tens of thousands of people come and go', async () => {
  const imports = [PEOPLE, 0].map((count) => directoryOf(count));
  const caller = await new Caller(hotdesk.sip.udp).open();
  let isOver = false;
  const importing = (async () => {
    const statuses: number[] = [];
    for (const text of imports) statuses.push(await put(text));
    return statuses;
  })().finally(() => {
    isOver = true;
  });
  const calls: { dueAt: number; placed: ReturnType<Caller['place']> }[] = [];
  const begun = performance.now();
  for (let i = 0; !isOver; i++) {
    const dueAt = begun + i * EVERY_MS;
    await sleep(Math.max(0, dueAt - performance.now()));
    const uri = UK_FORMS[i % UK_FORMS.length] ?? '';
    calls.push({ dueAt, placed: caller.place({ uri, from: PHONES.reception }) });
  }
  expect(await importing).toEqual([204, 204]);
  const answered = await Promise.all(calls.map(async ({ dueAt, placed }) => ({ dueAt, ...(await placed) })));
  caller.close();
  expect(answered.filter(({ id, status }) => status !== 200 || !psap.arrivals.has(id))).toEqual([]);
  const waits = answered.map(({ id, dueAt }) => (psap.arrivals.get(id)?.at ?? Number.NaN) - dueAt);
  // A busy machine may hold us up now and then; an import that does holds up many.
  expect(waits.filter((wait) => wait > LATE_MS).length).toBeLessThan(calls.length / 20);
}, 300_000);

async function put(text: string): Promise<number> {
  const { status } = await fetch(`${hotdesk.http}/api/v1/directory`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/yaml' },
    body: text,
  });
  return status;
}

/** The demo's, and so many people more. */
function directoryOf(count: number): string {
  const person = (i: number): string =>
    `  "${200_000 + i}": { name: Person ${i}, site: london, callerId: "+44207${9_000_000 + i}" }\n`;
  const people = Array.from({ length: count }, (_, i) => person(i)).join('');
  return readFileSync('config/demo.yaml', 'utf8').replace(/^users:\n/m, `users:\n${people}`);
}
