import { describe, expect, test } from 'vitest';
import { PEOPLE, PHONES } from '../support/demo.ts';
import { useHotdesk } from '../support/suite.ts';

/** Who sat where when, as an administrator asks. */

const hotdesk = useHotdesk();
const { first, second } = PEOPLE;

function release(host: string): Promise<unknown> {
  return hotdesk().api(`/api/v1/hosts/${host}/association`, { method: 'DELETE' });
}

async function sessions(query: string): Promise<Record<string, never>[]> {
  const { status, body } = await hotdesk().api(`/api/v1/audit/sessions?${query}`);
  expect(status).toBe(200);
  return body.sessions;
}

describe('sessions', () => {
  test('a move is two stays, one of them still on; each moment has its answer', async () => {
    const before = new Date().toISOString();
    await hotdesk().seat(first.extension, PHONES.reception);
    await hotdesk().seat(first.extension, PHONES.window);
    const [now, then] = await sessions(`guest=1001&from=${before}`);
    expect(now).toMatchObject({
      host: { id: PHONES.window },
      guest: { extension: '1001' },
      endedAt: null,
      reason: null,
      movedFrom: { id: PHONES.reception },
    });
    expect(then).toMatchObject({
      host: { id: PHONES.reception },
      endedAt: now?.startedAt,
      reason: 'moved',
      movedFrom: null,
    });
    const [at] = await sessions(`guest=1001&at=${then?.startedAt}`);
    expect(at).toEqual(then);
    expect(await sessions(`host=${PHONES.window}&guest=1001&at=${then?.startedAt}`)).toEqual([]);
    await release(PHONES.window);
    const [ended] = await sessions(`host=${PHONES.window}&from=${before}`);
    expect(ended).toMatchObject({ reason: 'released', movedFrom: { id: PHONES.reception } });
  });

  test('page by page', async () => {
    for (let times = 0; times < 3; times++) {
      await hotdesk().seat(second.extension, PHONES.leeds);
      await release(PHONES.leeds);
    }
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await hotdesk().api(`/api/v1/audit/sessions?host=${PHONES.leeds}&limit=1${cursor}`);
      seen.push(...body.sessions.map(({ startedAt }: { startedAt: string }) => startedAt));
      cursor = body.next === null ? '' : `&cursor=${encodeURIComponent(body.next)}`;
    } while (cursor !== '');
    expect(seen).toHaveLength(3);
    expect(seen).toEqual(seen.toSorted().reverse());
  });
});

describe('changes', () => {
  test('newest first, by guest, by kind, with names', async () => {
    await hotdesk().seat(second.extension, PHONES.reception);
    await release(PHONES.reception);
    const { body } = await hotdesk().api('/api/v1/audit?guest=1002&kind=association.ended&limit=1');
    expect(body.entries).toMatchObject([
      {
        kind: 'association.ended',
        reason: 'released',
        actor: 'admin:api',
        host: { id: PHONES.reception, nickname: expect.any(String) },
        guest: { extension: '1002', name: expect.any(String) },
      },
    ]);
    const page = await hotdesk().api('/api/v1/audit?limit=2');
    const further = await hotdesk().api(`/api/v1/audit?limit=2&cursor=${page.body.next}`);
    expect(further.body.entries[0].seq).toBe(page.body.entries[1].seq - 1);
  });

  test('as CSV', async () => {
    await hotdesk().seat(second.extension, PHONES.reception);
    const { status, type, body } = await hotdesk().api('/api/v1/audit.csv?guest=1002');
    expect(status).toBe(200);
    expect(type).toBe('text/csv; charset=utf-8; header=present');
    const [head, line] = body.split('\r\n');
    expect(head).toMatch(/^seq,at,kind,/);
    expect(line).toContain(`association.started,logIn,admin:api,${PHONES.reception}`);
  });

  test.each(['from=yesterday', 'cursor=made-up', 'at=14:05', 'kind=start', 'limit=0'])(
    '%s: 400',
    async (query) => {
      const answer = await hotdesk().api(`/api/v1/audit?${query}`);
      expect(answer.status).toBe(400);
      expect(JSON.stringify(answer.body)).toContain(query.split('=')[0]);
    },
  );
});
