import { describe, expect, test } from 'vitest';
import { useAdministrator } from '../support/administrator.ts';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { ADMIN_TOKEN } from '../support/hotdesk.ts';
import { useHotdesk } from '../support/suite.ts';

/** Many people at once, from a table to the phone they log in at (A7, B1–B3). */

const hotdesk = useHotdesk();
const administrator = useAdministrator(hotdesk);
const PATH = '/api/v1/users/import';

const importing = (json: object) => hotdesk().api(PATH, { method: 'POST', json });

const TABLE = [
  '\uFEFF"Extension";"Name";"Site";"Direct numbers";"Hot desk licence";"Guest"',
  '2001;"Field, Nora";London;"020 7946 0201; +44 20 7946 0202";yes;',
  '2002;Samuel Price;leeds;+441134960202;;yes',
  '1001;Amelia Oakes;;;;',
  '1003;;;;;',
].join('\r\n');

test('a table adds and changes people in one step, who can then log in and be called', async () => {
  const dry = await importing({ csv: TABLE, dryRun: true });
  expect(dry).toMatchObject({
    status: 200,
    body: { done: false, counts: { new: 2, changed: 1, same: 1, problem: 0 } },
  });
  expect((await administrator.get('/users/2001')).status).toBe(404);

  const done = await importing({ csv: TABLE, plan: dry.body.plan });
  expect(done).toMatchObject({ status: 200, body: { done: true, plan: dry.body.plan } });
  expect(done.body.rows.map(({ row, outcome }: { row: number; outcome: string }) => [row, outcome])).toEqual([
    ...[
      [2, 'new'],
      [3, 'new'],
      [4, 'changed'],
      [5, 'same'],
    ],
  ]);
  expect((await administrator.get('/users/2001')).body).toMatchObject({
    ...{ name: 'Field, Nora', numbers: ['+442079460201', '+442079460202'], callerId: '+442079460201' },
    ...{ hotDeskLicence: true, hasPasscode: false },
  });
  expect((await administrator.get('/users?q=oakes')).body.total).toBe(1);
  await hotdesk().seat('2001', PHONES.reception);
  await hotdesk().expectGuest(PHONES.reception, '2001');
  const { body } = await administrator.get('/audit?limit=50');
  expect(JSON.stringify(body)).toContain('2001');
});

test('nothing at all is done while anything is wrong, and each row says what', async () => {
  const csv = `${TABLE}\r\n2003;Lost;Atlantis;+442079460203;;\r\n2001;Twice;London;;;`;
  const no = await importing({ csv });
  expect(no).toMatchObject({ status: 422, body: { reason: 'invalidImport' } });
  expect(no.body.errors).toEqual([
    { path: 'row 6, site', message: 'no such site' },
    { path: 'row 7, extension', message: 'stands in row 2 already' },
  ]);
  expect((await administrator.get('/users/2002')).status).toBe(404);
  const some = await importing({ csv, skipProblems: true });
  expect(some.body).toMatchObject({ done: true, counts: { new: 2, problem: 2 } });
});

test('who is logged in keeps what they need, unless they are to be released', async () => {
  await hotdesk().seat(PEOPLE.first.extension, PHONES.reception);
  const csv = 'Extension,Licence\n1001,no';
  expect(await importing({ csv })).toMatchObject({ status: 409, body: { reason: 'associationRunning' } });
  await hotdesk().expectGuest(PHONES.reception, PEOPLE.first.extension);
  expect(await importing({ csv, release: true })).toMatchObject({ status: 200, body: { done: true } });
  await hotdesk().expectGuest(PHONES.reception, undefined);
});

describe('ten thousand people', () => {
  const person = (i: number): string => `${30_000 + i},Person ${i},London,+4420${79_500_000 + i}`;
  const csv = ['Ext,Name,Site,DDI', ...Array.from({ length: 10_000 }, (_, i) => person(i))].join('\n');
  const send = (query: string) =>
    fetch(`${hotdesk().http}${PATH}${query}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'text/csv' },
      body: csv,
    });

  test('are checked and added while the server goes on answering', { timeout: 120_000 }, async () => {
    const waits: number[] = [];
    let isOver = false;
    const others = (async () => {
      while (!isOver) {
        const from = performance.now();
        await fetch(`${hotdesk().http}/healthz`);
        waits.push(performance.now() - from);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    const dry = await send('?dryRun=true');
    const { counts, rows } = (await dry.json()) as { counts: object; rows: unknown[] };
    expect([dry.status, counts, rows.length]).toEqual([
      ...[200, { new: 10_000, changed: 0, same: 0, problem: 0 }, 10_000],
    ]);
    const done = await send('');
    expect(done.status).toBe(200);
    expect(((await done.json()) as { done: boolean }).done).toBe(true);
    isOver = true;
    await others;
    expect((await administrator.get('/users?q=Person&limit=1')).body.total).toBe(10_000);
    expect(waits.length).toBeGreaterThan(20);
    expect(Math.max(...waits)).toBeLessThan(3_000);
  });
});
