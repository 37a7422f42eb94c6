import { describe, expect, test } from 'vitest';
import { isRefusal } from '../../../src/domain/reasons.ts';
import { createNumberPlan } from '../../../src/services/number-plan.ts';
import { sourcesOf, wishOf } from '../../../src/services/people-import/columns.ts';
import {
  type ImportOptions,
  type ImportReport,
  PeopleImport,
} from '../../../src/services/people-import/people-import.ts';
import { outcomeOf } from '../../../src/services/people-import/plan.ts';
import { readCsv } from '../../../src/services/people-import/read-csv.ts';
import { ACTOR, guestOffice } from './guest-office.ts';

/** People from a table: what is read, what is refused and where, and that it is all or nothing (A7, B1–B3). */

const everywhere = { actor: ACTOR, isOwnSite: () => true };

async function office(company: object = {}) {
  const made = await guestOffice({ company });
  const { harness, view, service: directory } = made;
  const { store, log, random } = harness;
  const imports = new PeopleImport({ store, directory, view, random, log });
  const run = (csv: string, options: Partial<ImportOptions> = {}) =>
    imports.run(csv, { ...everywhere, ...options });
  return { ...made, imports, run };
}

function reported(result: unknown): ImportReport {
  if (isRefusal(result)) throw new Error(`${result.refused}: ${result.detail}`);
  return result as ImportReport;
}

/** `2 new`, or `3 problem site: no such site`. */
function lines(result: unknown): string[] {
  return reported(result).rows.map((row) => {
    const problems = row.problems.map(({ column, message }) => ` ${column}: ${message}`);
    return `${row.row} ${outcomeOf(row)}${problems.join(';')}`;
  });
}

const HEAD = 'Extension,Name,Site,Numbers,Licence,Host,Guest';

describe('a table is read', () => {
  test.each([
    ['commas', 'Ext,Name\n1,a'],
    ['semicolons and a byte order mark', '\uFEFFExt;Name\r\n1;a\r\n'],
    ['tabs', 'Ext\tName\n1\ta'],
    ['a first line that names the sign', 'sep=;\nExt;Name\n1;a'],
    ['quotes', '"Ext","Name"\n"1","a"'],
  ])('%s', async (_, text) => {
    const table = await readCsv(text);
    if ('problems' in table) throw new Error(JSON.stringify(table.problems));
    expect(table.headings).toEqual(['Ext', 'Name']);
    expect(table.records.map(({ cells }) => cells)).toEqual([['1', 'a']]);
  });

  test('rows are numbered as spreadsheets do, whatever is empty', async () => {
    const table = await readCsv('Ext,Name\n1,"a\nb"\n\n,\n2,"say ""hi"", you"\n');
    if ('problems' in table) throw new Error('not read');
    expect(table.records).toEqual([
      { row: 2, cells: ['1', 'a\nb'] },
      { row: 5, cells: ['2', 'say "hi", you'] },
    ]);
  });

  test.each([
    ['', 'has nobody'],
    ['Ext,Name\n', 'has nobody'],
    ['Ext,Name\n1,"a', 'a quotation mark is not closed'],
    [`Ext\n${'1\n'.repeat(10_001)}`, 'more than 10000 people'],
    [`${'x,'.repeat(200)}\n1`, 'more than 100 columns'],
    [`Ext\n"${'x'.repeat(30_000)}"`, 'longer than 20000 characters'],
  ])('not %.12s', async (text, words) => {
    const table = await readCsv(text);
    expect('problems' in table && table.problems[0]?.message).toContain(words);
  });

  test('headings are forgiven much', () => {
    const headings = ['EXTN.', 'First name', 'Surname', 'Location', 'DDI', 'E-Mail', 'Add-ons', 'Shoe size'];
    expect(sourcesOf(headings)).toEqual([
      ...['extension', 'firstName', 'lastName', 'site', 'numbers', 'email', 'addOns', undefined],
    ]);
  });

  test('cells too', () => {
    const headings = ['ext', 'first name', 'last name', 'ddi', 'caller id', 'e-mail', 'licence', 'add-ons'];
    const row = [
      '10 10',
      'Nia',
      'Ash',
      '020 7946 0110; +44 (0)20 7946 0111',
      "'+442079460110",
      '-',
      'X',
      'Host',
    ];
    const plan = createNumberPlan('GB');
    const { wish, problems } = wishOf(row, { sources: sourcesOf(headings), plan });
    expect(problems).toEqual([]);
    expect(wish).toEqual({
      ...{ extension: '1010', name: 'Nia Ash', numbers: ['+442079460110', '+442079460111'] },
      ...{ callerId: '+442079460110', email: null, hotDeskLicence: true, host: true, guest: false },
    });
    const bad = wishOf(['1', 'a\uFFFDb', '', '', '', '', 'perhaps', 'sauna'], {
      sources: sourcesOf(headings),
      plan,
    });
    expect(bad.problems.map(({ column }) => column).sort()).toEqual(['guest', 'hotDeskLicence', 'name']);
  });
});

describe('a dry run', () => {
  test('says what is new, changed, the same and wrong, and does nothing', async () => {
    const { run, userNow, view, store } = await office({ hotDeskLicences: 10 });
    const before = store.log.length;
    const { name, site } = userNow('1002') ?? {};
    const csv = [
      HEAD,
      '1010,Nia Ash,london,+442079461010,yes,no,yes',
      `1002,${name},${site},,,,`,
      '1003,Priya Oak,,,,,',
      '1011,No Place,atlantis,+442079461011,,,',
      '1012,No Number,london,,,,',
      '1010,Twice,london,+442079461013,,,',
      'x1,Odd,london,+442079461014,,,',
      '1015,Taken,london,+442079461010,,,',
      `1016,Taken,london,${userNow('1001')?.numbers[0]},,,`,
      '999,Help,london,+442079461017,,,',
    ].join('\n');
    const report = reported(await run(csv, { dryRun: true }));
    expect(lines(report)).toEqual([
      '2 new',
      '3 same',
      '4 changed',
      '5 problem site: no such site',
      '6 problem callerId: must be a full number such as "+442079460123"; absent, it is the first direct number',
      '7 problem extension: stands in row 2 already',
      expect.stringContaining('8 problem extension:'),
      '9 problem numbers: +442079461010 is the number of 1010 already',
      expect.stringMatching(/^10 problem numbers: .* of 1001 already$/),
      '11 problem extension: dialling it is an emergency call',
    ]);
    expect(report).toMatchObject({ done: false, counts: { new: 1, changed: 1, same: 1, problem: 7 } });
    expect(report.columns.every(({ column }) => column !== undefined)).toBe(true);
    expect([view.directory?.users.has('1010'), store.log.length]).toEqual([false, before]);
  });

  test('licences go to rows in their order, as far as there are any; what others give back counts', async () => {
    const { run } = await office({ hotDeskLicences: 4, addOnLicences: { host: 2, guest: 9 } });
    const csv = [
      'ext,name,site,number,licence,host',
      '1010,A,london,+442079461010,yes,',
      '1011,B,london,+442079461011,yes,yes',
      '1012,C,london,+442079461012,yes,',
      '1001,,,,no,no',
    ].join('\n');
    expect(lines(await run(csv, { dryRun: true }))).toEqual([
      '2 new',
      '3 new',
      '4 problem hotDeskLicence: all 4 hot-desk licences are assigned',
      '5 changed',
    ]);
  });

  test('a site administrator touches nobody elsewhere and puts nobody elsewhere', async () => {
    const { run } = await office();
    const csv =
      'ext,name,site,ddi\n1003,New,,\n1010,A,leeds,+442079461010\n1011,B,,+442079461011\n1001,,leeds,';
    const isOwnSite = (site: string) => site === 'london';
    expect(lines(await run(csv, { dryRun: true, isOwnSite }))).toEqual([
      '2 problem extension: belongs to somebody at a site that is not yours',
      '3 problem site: is not one of your sites',
      '4 new',
      '5 problem site: is not one of your sites',
    ]);
  });

  test('a site administrator is not told who has a number elsewhere', async () => {
    const { run, userNow } = await office();
    const [number] = userNow('1003')?.numbers ?? [];
    const csv = `ext,name,site,ddi\n1010,A,london,${number}\n1011,B,london,+442079461011\n1012,C,london,+442079461011`;
    const isOwnSite = (site: string) => site === 'london';
    const told = (who: string, twin: string) => [
      `2 problem numbers: ${number} ${who}`,
      '3 new',
      `4 problem numbers: +442079461011 ${twin}`,
    ];
    const twin = 'is the number of 1011 already';
    expect(lines(await run(csv, { dryRun: true, isOwnSite }))).toEqual(told('is taken already', twin));
    expect(lines(await run(csv, { dryRun: true }))).toEqual(told('is the number of 1003 already', twin));
  });

  test('control characters are in no name', async () => {
    const { run } = await office();
    const csv = 'ext,name,site,ddi\n1010,"A\u0007B",london,+442079461010';
    expect(lines(await run(csv, { dryRun: true }))).toEqual([
      '2 problem name: must not have control characters',
    ]);
  });

  test('a table without extensions is none', async () => {
    const { run } = await office();
    expect(await run('name,site\nA,london')).toMatchObject({
      refused: 'invalidImport',
      wrong: [{ at: 'row 1', message: 'has no column called Extension' }],
    });
  });
});

describe('an import', () => {
  const TWO = 'ext,name,site,ddi\n1010,Nia Ash,London,+442079461010\n1001,Amelia Oak,,';

  test('adds and changes in one step, and says so; again there is nothing left to do', async () => {
    const { run, userNow, store } = await office();
    const before = userNow('1001');
    const written = store.log.length;
    expect(lines(await run(TWO))).toEqual(['2 new', '3 changed']);
    expect(userNow('1010')).toMatchObject({ name: 'Nia Ash', site: 'london', callerId: '+442079461010' });
    expect(userNow('1010')?.passcodeHash).toBeUndefined();
    expect(userNow('1001')).toEqual({ ...before, name: 'Amelia Oak' });
    expect(store.log.length).toBe(written + 1);
    const again = reported(await run(TWO));
    expect([again.done, lines(again)]).toEqual([true, ['2 same', '3 same']]);
    expect(store.log.length).toBe(written + 1);
  });

  test('is all or nothing, unless what is wrong may be left out', async () => {
    const { run, userNow } = await office();
    const csv = `${TWO}\n1011,B,atlantis,+442079461011`;
    expect(await run(csv)).toMatchObject({
      refused: 'invalidImport',
      wrong: [{ at: 'row 4, site', message: 'no such site' }],
    });
    expect(userNow('1010')).toBeUndefined();
    expect(lines(await run(csv, { skipProblems: true }))[2]).toContain('4 problem');
    expect([userNow('1010')?.name, userNow('1011')]).toEqual(['Nia Ash', undefined]);
  });

  test('does what the dry run said, or nothing', async () => {
    const { run, userNow, service } = await office();
    const { plan } = reported(await run(TWO, { dryRun: true }));
    expect(reported(await run(TWO, { dryRun: true })).plan).toBe(plan);
    await service.updateUser('1001', (user) => ({ ...user, name: 'Somebody Else' }), { actor: ACTOR });
    expect(await run(TWO, { plan })).toMatchObject({ refused: 'changedMeanwhile' });
    expect(userNow('1010')).toBeUndefined();
  });

  test('takes nothing from who is logged in by it, unless they are to be released', async () => {
    const { run, hotDesk, seats, userNow } = await office();
    await hotDesk.associate({ host: 'd1', extension: '1001', actor: ACTOR });
    const csv = 'ext,licence\n1001,no';
    expect(await run(csv)).toMatchObject({
      refused: 'associationRunning',
      wrong: [{ at: 'row 2, hotDeskLicence', message: '1001 is logged in at d1: release first' }],
    });
    expect(await seats()).toEqual(['1001@d1']);
    expect(lines(await run(csv, { release: true }))).toEqual(['2 changed']);
    expect([await seats(), userNow('1001')?.hotDeskLicence]).toEqual([[], false]);
  });

  test('who logs in while it is written does not stay by rules that are gone', async () => {
    const { run, hotDesk, seats, store } = await office();
    const write = store.writeDirectory.bind(store);
    store.writeDirectory = async (command) => {
      await hotDesk.associate({ host: 'd1', extension: '1001', actor: ACTOR });
      return write(command);
    };
    expect(lines(await run('ext,licence\n1001,no'))).toEqual(['2 changed']);
    expect(await seats()).toEqual([]);
  });

  test('while others change the directory: looks again, and is refused while the store is away', async () => {
    const { run, service, store, userNow } = await office();
    const write = store.writeDirectory.bind(store);
    let crossed = false;
    store.writeDirectory = async (command) => {
      const other = crossed ? undefined : { ...userNow('1001'), email: 'crossed@example.com' };
      crossed = true;
      if (other) await write({ put: new Map([['user:1001', other]]), remove: [], actor: 'other' });
      return write(command);
    };
    expect(lines(await run(TWO))).toEqual(['2 new', '3 changed']);
    expect(userNow('1001')).toMatchObject({ name: 'Amelia Oak', email: 'crossed@example.com' });
    store.down = true;
    expect(await run('ext,name\n1001,Later')).toMatchObject({ refused: 'storeUnavailable' });
    expect(service).toBeDefined();
  });

  test('of ten thousand people lets others have their turn', { timeout: 30_000 }, async () => {
    const { run } = await office();
    const person = (i: number) => `${20_000 + i},Person ${i},london,+4420${79_500_000 + i}`;
    const csv = `ext,name,site,ddi\n${Array.from({ length: 10_000 }, (_, i) => person(i)).join('\n')}`;
    let turns = 0;
    let isOver = false;
    const again = (): void => {
      turns++;
      if (!isOver) setImmediate(again);
    };
    setImmediate(again);
    const report = reported(await run(csv, { dryRun: true }));
    isOver = true;
    expect(report.counts).toMatchObject({ new: 10_000 });
    // Ten rows at a time, three times over: however slow the machine, others come in between.
    expect(turns).toBeGreaterThan(2_500);
  });

  test('a person of more than fifty numbers is refused, and the others are not even read', async () => {
    const { run } = await office();
    const read: string[] = [];
    const plan = { toE164: (digits: string) => void read.push(digits) } as never;
    const numbers = Array.from({ length: 1_000 }, (_, i) => `020 7946 ${1_000 + i}`).join(';');
    wishOf(['1010', numbers], { sources: sourcesOf(['Ext', 'DDI']), plan });
    expect(read.length).toBe(50);
    expect(lines(await run(`ext,name,site,ddi\n1010,Nia,london,${numbers}`, { dryRun: true }))).toEqual([
      '2 problem numbers: has more than 50 numbers',
    ]);
    const most = Array.from({ length: 50 }, (_, i) => `020 7946 01${10 + i}`).join(';');
    expect(lines(await run(`ext,name,site,ddi\n1010,Nia,london,${most};`, { dryRun: true }))).toEqual([
      '2 new',
    ]);
  });
});
