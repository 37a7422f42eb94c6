import { get } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { ChangeEvent } from '../../src/domain/association.ts';
import type { Refusal } from '../../src/domain/reasons.ts';
import { association, base, expectProblem, http, reception, request, TOKEN, world } from './http-world.ts';

const AT = Date.UTC(2031, 4, 6, 14, 5);
const start: ChangeEvent = {
  kind: 'start',
  seq: 7,
  at: AT,
  actor: 'guest',
  reason: 'move',
  association,
  previousHost: 'gone',
};
const directoryChange: ChangeEvent = {
  kind: 'directory',
  seq: 8,
  at: AT,
  actor: 'admin:api',
  entries: ['user:1001', 'site:london'],
};
const notice: ChangeEvent = {
  kind: 'notice',
  seq: 9,
  at: AT,
  actor: 'node:a',
  notice: 'lockedOut',
  extension: '1001',
  host: undefined,
};

const row = {
  seq: 7,
  at: '2031-05-06T14:05:00.000Z',
  kind: 'association.started',
  reason: 'move',
  actor: 'guest',
  host: { id: reception.id, nickname: 'Reception desk' },
  guest: { extension: '1001', name: 'Alice Archer' },
  site: 'london',
  generation: 7,
  startedAt: '2031-05-06T00:00:00.000Z',
  expiresAt: '2031-05-06T12:00:00.000Z',
  previousHost: { id: 'gone', nickname: null },
  entries: null,
};

describe('changes', () => {
  test('with names, newest first as they come', async () => {
    world.answer = { events: [notice, directoryChange, start], next: '5-0' };
    const { json } = await request('GET', '/api/v1/audit');
    expect(json.next).toBe('5-0');
    expect(json.entries[2]).toEqual(row);
    expect(json.entries[1]).toMatchObject({
      entries: ['user:1001', 'site:london'],
      host: null,
      reason: null,
    });
    expect(json.entries[0]).toMatchObject({
      kind: 'security.notice',
      reason: 'lockedOut',
      guest: { extension: '1001', name: 'Alice Archer' },
      host: null,
    });
    expect(world.calls).toEqual([['page', expect.objectContaining({ limit: 100 })]]);
  });

  test('names are those of the time: an extension and a phone may be somebody else’s by now', async () => {
    const names = { guest: 'Olive Old', host: 'Old desk' };
    const then = { ...start, association: { ...association, names } };
    world.answer = { events: [then], next: undefined };
    const { json } = await request('GET', '/api/v1/audit');
    const was = {
      host: { id: reception.id, nickname: 'Old desk' },
      guest: { extension: '1001', name: 'Olive Old' },
    };
    expect(json.entries[0]).toMatchObject(was);
    world.answer = { stays: [{ association: then.association }], next: undefined };
    const sessions = await request('GET', '/api/v1/audit/sessions');
    expect(sessions.json.sessions[0]).toMatchObject(was);
  });

  test('the last page', async () => {
    world.answer = { events: [], next: undefined };
    expect((await request('GET', '/api/v1/audit')).json).toEqual({ entries: [], next: null });
  });

  test('without a directory there are no names', async () => {
    world.view = { knowledge: 'unknown', directory: undefined };
    world.answer = { events: [start], next: undefined };
    const { json } = await request('GET', '/api/v1/audit');
    expect(json.entries[0].host).toEqual({ id: reception.id, nickname: null });
  });

  test('every parameter', async () => {
    world.answer = { events: [], next: undefined };
    const query =
      'host=h1&guest=1001&from=2031-05-06T00:00:00Z&to=2031-05-06T16:05+02:00' +
      '&kind=association.started&kind=association.ended&limit=5&cursor=5-0';
    await request('GET', `/api/v1/audit?${query}`);
    expect(world.calls).toEqual([
      [
        'page',
        {
          host: 'h1',
          guest: '1001',
          from: Date.UTC(2031, 4, 6),
          to: AT,
          kinds: ['start', 'end'],
          limit: 5,
          cursor: '5-0',
          isWanted: expect.any(Function),
        },
      ],
    ]);
    await request('GET', '/api/v1/audit?at=2031-05-06T14:05Z&kind=directory.changed');
    expect(world.calls[1]).toMatchObject(['page', { from: undefined, to: AT, kinds: ['directory'] }]);
  });

  test.each([
    ['from=yesterday', 'from'],
    ['from=2031-05-06', 'from'],
    ['from=2031-05-06T14:05', 'from'],
    ['to=2031-02-30T00:00Z', 'to'],
    ['to=', 'to'],
    ['at=14:05', 'at'],
    ['from=2031-05-06T14:05Z&to=2031-05-06T14:04Z', 'to'],
    ['at=2031-05-06T14:05Z&from=2031-05-06T14:04Z', 'at'],
    ['kind=start', 'kind'],
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['limit=ten', 'limit'],
    ['limit=1.5', 'limit'],
    ['host=', 'host'],
    ['host=a&host=b', 'host'],
    [`guest=${'1'.repeat(65)}`, 'guest'],
    ['cursor=', 'cursor'],
  ])('%s: 400, naming it', async (query, name) => {
    for (const path of ['/api/v1/audit', '/api/v1/audit/sessions', '/api/v1/audit.csv']) {
      if (path.endsWith('sessions') && name === 'kind') continue;
      const answer = await request('GET', `${path}?${query}`);
      expectProblem(answer, 400);
      const paths = answer.json.errors.map((error: { path: string }) => error.path);
      const known = !(path.endsWith('csv') && ['limit', 'cursor'].includes(name));
      expect(paths[0]).toMatch(known ? new RegExp(`^querystring\\.${name}\\b`) : /^querystring/);
    }
    expect(world.calls).toEqual([]);
  });

  test('a parameter nobody knows', async () => {
    const answer = await request('GET', '/api/v1/audit?hosts=h1');
    expectProblem(answer, 400);
    expect(JSON.stringify(answer.json.errors)).toContain('hosts');
  });

  test('a cursor that was made up, a store that is away', async () => {
    world.answer = { refused: 'invalidCursor', detail: 'cursor: x' } satisfies Refusal;
    expectProblem(await request('GET', '/api/v1/audit?cursor=x'), 400, { detail: 'cursor: x' });
    world.answer = { refused: 'storeUnavailable' } satisfies Refusal;
    for (const path of ['/audit', '/audit/sessions', '/audit.csv']) {
      expectProblem(await request('GET', `/api/v1${path}`), 503, { reason: 'storeUnavailable' });
    }
  });
});

describe('sessions', () => {
  test('who sat where at a moment', async () => {
    world.answer = {
      stays: [
        { association, endedAt: AT, reason: 'expired', movedFrom: 'gone' },
        { association: { ...association, guest: '1009' }, endedAt: undefined, reason: undefined },
      ],
      next: 'e7.',
    };
    const { json } = await request('GET', '/api/v1/audit/sessions?at=2031-05-06T14:05Z&host=h1');
    const there = {
      host: row.host,
      guest: row.guest,
      site: 'london',
      generation: 7,
      startedAt: '2031-05-06T00:00:00.000Z',
    };
    expect(json).toEqual({
      sessions: [
        {
          ...there,
          endedAt: '2031-05-06T14:05:00.000Z',
          reason: 'expired',
          movedFrom: { id: 'gone', nickname: null },
        },
        {
          ...there,
          guest: { extension: '1009', name: null },
          endedAt: null,
          reason: null,
          movedFrom: null,
        },
      ],
      next: 'e7.',
    });
    expect(world.calls).toMatchObject([['stays', { host: 'h1', from: AT, to: AT, limit: 100 }]]);
  });
});

describe('CSV', () => {
  async function* pagesOf(...pages: readonly ChangeEvent[][]): AsyncGenerator<ChangeEvent[]> {
    yield* pages;
  }

  test('a line per change, with head, CRLF, and times in UTC', async () => {
    world.answer = pagesOf([notice, directoryChange], [start]);
    const answer = await request('GET', '/api/v1/audit.csv?host=h1');
    expect(answer.type).toBe('text/csv; charset=utf-8; header=present');
    expect(answer.headers.get('content-disposition')).toBe('attachment; filename="hotdesk-audit-demo.csv"');
    expect(answer.text).toBe(
      [
        'seq,at,kind,reason,actor,host,hostNickname,guest,guestName,site,generation,startedAt,expiresAt,previousHost,entries',
        '9,2031-05-06T14:05:00.000Z,security.notice,lockedOut,node:a,,,1001,Alice Archer,,,,,,',
        '8,2031-05-06T14:05:00.000Z,directory.changed,,admin:api,,,,,,,,,,user:1001 site:london',
        `7,2031-05-06T14:05:00.000Z,association.started,move,guest,${reception.id},Reception desk,1001,Alice Archer,london,7,2031-05-06T00:00:00.000Z,2031-05-06T12:00:00.000Z,gone,`,
        '',
      ].join('\r\n'),
    );
    expect(world.calls).toMatchObject([['export', { host: 'h1' }]]);
  });

  test('nothing a spreadsheet runs, nothing that breaks a line', async () => {
    const actors = ['=HYPERLINK("x")', '+1', '-1', '@x', '\tx', 'a,"b"', 'two\nlines'];
    world.answer = pagesOf(actors.map((actor) => ({ ...directoryChange, actor })));
    const { text } = await request('GET', '/api/v1/audit.csv');
    const cells = text
      .split('\r\n')
      .slice(1, -1)
      .map((line) => line.slice(line.indexOf('changed,,') + 9, line.indexOf(',,,,,,,,,,')));
    expect(cells).toEqual([
      '"\'=HYPERLINK(""x"")"',
      "'+1",
      "'-1",
      "'@x",
      "'\tx",
      '"a,""b"""',
      '"two\nlines"',
    ]);
  });

  test('a store that goes away breaks the download off: no half file looks whole', async () => {
    world.answer = (async function* () {
      yield [start];
      throw new Error('gone');
    })();
    await expect(request('GET', '/api/v1/audit.csv')).rejects.toThrow();
  });

  test('a stop does not wait for a slow reader, and only a few read at once', async () => {
    const endless = async function* () {
      for (;;) yield Array.from({ length: 1_000 }, () => start);
    };
    const headers = { authorization: `Bearer ${TOKEN}` };
    for (let count = 0; count < 4; count++) {
      world.answer = endless();
      await new Promise((resolve) =>
        get(`${base}/api/v1/audit.csv`, { headers }, resolve).on('error', () => undefined),
      );
    }
    expectProblem(await request('GET', '/api/v1/audit.csv'), 503, { reason: 'overloaded' });
    const began = performance.now();
    await http.stop();
    expect(performance.now() - began).toBeLessThan(3_000);
  });
});

describe('of one site', () => {
  const elsewhere = { ...association, site: 'leeds', generation: 6 };

  test('changes of it alone', async () => {
    world.answer = {
      events: [directoryChange, start, { ...start, association: elsewhere }],
      next: undefined,
    };
    const { json } = await request('GET', '/api/v1/audit?site=london');
    expect(json.entries).toEqual([row]);
  });

  test('stays of it alone', async () => {
    const stay = { endedAt: AT, reason: 'expired', movedFrom: undefined };
    world.answer = {
      stays: [
        { ...stay, association },
        { ...stay, association: elsewhere },
      ],
      next: undefined,
    };
    const { json } = await request('GET', '/api/v1/audit/sessions?site=leeds');
    expect(json.sessions.map(({ generation }: { generation: number }) => generation)).toEqual([6]);
  });

  test('as a file, line by line', async () => {
    const stays = [
      {
        association: { ...association, guest: '=1+1' },
        endedAt: AT,
        reason: 'expired',
        movedFrom: undefined,
      },
      { association: elsewhere, endedAt: undefined, reason: undefined, movedFrom: 'gone' },
    ];
    world.answer = (async function* pages() {
      yield stays;
    })();
    const answer = await request('GET', '/api/v1/audit/sessions.csv?host=h1');
    expect(answer.headers.get('content-disposition')).toBe(
      'attachment; filename="hotdesk-sessions-demo.csv"',
    );
    const [, first = '', second = ''] = answer.text.split('\r\n');
    expect(first).toContain(",'=1+1,");
    expect(second).toMatch(/,leeds,6,2031-05-06T00:00:00.000Z,,,gone$/);
    expect(world.calls).toEqual([
      ['exportStays', expect.objectContaining({ host: 'h1', isWanted: expect.any(Function) })],
    ]);
    expectProblem(await request('GET', '/api/v1/audit/sessions.csv?limit=1'), 400);
  });
});
