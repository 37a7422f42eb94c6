import { describe, expect, test } from 'vitest';
import { createHttp, type HttpServices } from '../../src/http/create-http.ts';
import { peopleImport } from '../../src/http/import-schemas.ts';
import type { ImportReport } from '../../src/services/people-import/people-import.ts';
import { alice, expectProblem, request, services, TOKEN, world } from './http-world.ts';

/** The import of people as the API takes and tells it. */

const CSV = 'Extension,Name\n1001,Alice Oak';
const after = { ...alice, name: 'Alice Oak' };
const report: ImportReport = {
  ...{ done: false, plan: 'abc', counts: { new: 1, changed: 1, same: 0, problem: 1 } },
  columns: [
    { heading: 'Extension', column: 'extension' },
    { heading: 'Shoe size', column: undefined },
  ],
  rows: [
    { row: 2, extension: '1001', name: 'Alice Oak', before: alice, after, problems: [] },
    {
      row: 3,
      extension: '1010',
      name: '',
      before: undefined,
      after: undefined,
      problems: [{ column: 'site', message: 'no such site', running: true }],
    },
  ],
};
const options = () => (world.calls[0] as [string, string, object])[2];

describe('POST /users/import', () => {
  test('takes JSON and tells every row, no secret among them', async () => {
    world.answer = report;
    const body = { csv: CSV, dryRun: true, plan: 'abc' };
    const { status, json, type } = await request('POST', '/api/v1/users/import', { body });
    expect([status, type]).toEqual([200, 'application/json; charset=utf-8']);
    expect(peopleImport.parse(json)).toEqual(json);
    expect(json.rows).toEqual([
      {
        ...{ row: 2, extension: '1001', name: 'Alice Oak', outcome: 'changed', problems: [] },
        changes: [{ column: 'name', from: 'Alice Archer', to: 'Alice Oak' }],
      },
      {
        ...{ row: 3, extension: '1010', name: '', outcome: 'problem', changes: [] },
        problems: [{ column: 'site', message: 'no such site' }],
      },
    ]);
    expect(world.calls[0]).toMatchObject([
      'importPeople',
      CSV,
      { dryRun: true, plan: 'abc', actor: 'admin:api' },
    ]);
  });

  test('takes a file as it is, with what is wanted in the query', async () => {
    world.answer = { ...report, rows: [] };
    const path = '/api/v1/users/import?dryRun=true&release=true&skipProblems=false';
    const { status, json } = await request('POST', path, { body: CSV, type: 'text/csv; charset=utf-8' });
    expect([status, json.rows]).toEqual([200, []]);
    expect(world.calls[0]).toMatchObject(['importPeople', CSV, {}]);
    expect(options()).toMatchObject({ dryRun: true, release: true, skipProblems: false, plan: undefined });
  });

  test('more rows than one portion arrive in their order', async () => {
    const rows = Array.from({ length: 1_001 }, (_, i) => ({ ...(report.rows[0] as object), row: i + 2 }));
    world.answer = { ...report, rows };
    const { json } = await request('POST', '/api/v1/users/import', { body: { csv: CSV } });
    expect(json.rows.map(({ row }: { row: number }) => row)).toEqual(rows.map(({ row }) => row));
  });

  test('a refusal names rows and columns', async () => {
    world.answer = {
      ...{ refused: 'invalidImport', detail: '1 of 2 rows cannot be imported' },
      wrong: [{ at: 'row 3, site', message: 'no such site' }],
    };
    const answer = await request('POST', '/api/v1/users/import', { body: { csv: CSV } });
    expectProblem(answer, 422, { errors: [{ path: 'row 3, site', message: 'no such site' }] });
    world.answer = { refused: 'associationRunning', wrong: [{ at: 'row 2, guest', message: 'x' }] };
    const busy = await request('POST', '/api/v1/users/import', { body: { csv: CSV } });
    expectProblem(busy, 409, { errors: [{ path: 'row 2, guest', message: 'x' }] });
  });

  test.each([
    ['no table', { dryRun: true }, 'application/json', 400],
    ['a word for yes', { csv: CSV, dryRun: 'yes' }, 'application/json', 400],
    ['YAML', 'csv: x', 'application/yaml', 415],
    ['nothing', '', 'text/csv', 400],
  ])('%s is refused', async (_, body, type, status) => {
    expectProblem(await request('POST', '/api/v1/users/import', { body, type }), status);
    expect(world.calls).toEqual([]);
  });

  test('too much is refused with how much may be sent', async () => {
    const answer = await request('POST', '/api/v1/users/import', {
      body: 'x'.repeat(5 * 1024 * 1024),
      type: 'text/csv',
    });
    expectProblem(answer, 413, { detail: 'The body is too large: 4 MiB is the most that is taken here.' });
    expect(world.calls).toEqual([]);
  });

  test('is described as both', async () => {
    const { json } = await request('GET', '/api/v1/openapi.json');
    const { content } = json.paths['/api/v1/users/import'].post.requestBody;
    expect(content['text/csv']).toEqual({ schema: { type: 'string' } });
    expect(content['application/json'].schema.required).toEqual(['csv']);
  });

  test('elsewhere CSV is a mistake, and so is a body of that size', async () => {
    expectProblem(await request('POST', '/api/v1/users', { body: CSV, type: 'text/csv' }), 415);
  });
});

test('whoever sends a large file, or asks for one, gets an answer, however long it takes', async () => {
  const log = { error: () => undefined, warn: () => undefined };
  const later = async () => {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    return { refused: 'overloaded' as const };
  };
  const slow: HttpServices = {
    ...services(),
    peopleImport: { run: later },
    directory: { ...services().directory, importYaml: later, exportYaml: later },
  };
  const impatient = createHttp({
    ...{ host: '127.0.0.1', port: 0, adminToken: TOKEN, services: slow, log, now: () => 0, idleMs: 200 },
  });
  const { host, port } = await impatient.start();
  const ask = async (path: string, sent: RequestInit, type?: string) => {
    const headers = { authorization: `Bearer ${TOKEN}`, ...(type && { 'content-type': type }) };
    return (await fetch(`http://${host}:${port}/api/v1${path}`, { ...sent, headers })).status;
  };
  const send = (method: string, path: string, type: string) => ask(path, { method, body: 'ext' }, type);
  expect(await send('POST', '/users/import', 'text/csv')).toBe(503);
  expect(await send('PUT', '/directory', 'application/yaml')).toBe(503);
  expect(await ask('/directory', {})).toBe(503);
  await impatient.stop();
});
