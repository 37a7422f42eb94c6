import { describe, expect, test } from 'vitest';
import type { ApiWalk } from '../../support/api-walk.ts';
import { PEOPLE, PHONES } from '../../support/demo.ts';
import { NIA, YORK } from './samples.ts';

/** The company, a site, and a person from the first day to the last. */
export function peopleStory(walk: ApiWalk): void {
  const path = { extension: NIA.extension };

  describe('a company with a site and people', () => {
    test('changes its own settings', async () => {
      const { body: before, headers } = await walk.call('GET /company');
      const etag = headers.get('etag') ?? '';
      const hotDeskLicences = before.hotDeskLicences + 1;
      const change = { body: { hotDeskLicences }, headers: { 'if-match': etag } };
      expect((await walk.call('PATCH /company', change)).body).toEqual({ ...before, hotDeskLicences });
      await walk.refused('PATCH /company', 'changedMeanwhile', change);
      const { body } = await walk.call('GET /company/licences');
      expect(body.hotDesk.total).toBe(hotDeskLicences);
    });

    test('opens a site', async () => {
      const made = await walk.call('POST /sites', { body: YORK });
      expect(made.headers.get('location')).toBe('/api/v1/sites/york');
      await walk.refused('POST /sites', 'alreadyExists', { body: YORK });
      const listed = await walk.call('GET /sites', { query: { q: 'york', limit: '5', sort: '-name' } });
      expect(listed.body).toMatchObject({ total: 1, next: null, sites: [{ id: 'york' }] });
      const { body, headers } = await walk.call('GET /sites/{id}', { path: { id: 'york' } });
      expect(body).toEqual(made.body);
      const changed = await walk.call('PATCH /sites/{id}', {
        path: { id: 'york' },
        headers: { 'if-match': headers.get('etag') ?? '' },
        body: { dailyLogOut: '20:00', emergencyContacts: { emails: ['york@example.com'], phones: [] } },
      });
      expect(changed.body).toMatchObject({ dailyLogOut: '20:00', name: 'York' });
    });

    test('takes somebody on, once', async () => {
      const wish = { body: NIA, headers: { 'idempotency-key': 'walk-1' } };
      // Refused, mended, sent again: with the same key, as nothing was done.
      const nowhere = { ...wish, body: { ...NIA, site: 'atlantis' } };
      await walk.refused('POST /users', 'invalidDirectory', nowhere);
      const added = await walk.call('POST /users', wish);
      expect(added).toMatchObject({ status: 201, body: { extension: '1050', hasPasscode: false } });
      expect((await walk.call('POST /users', wish)).body).toEqual(added.body);
      await walk.refused('POST /users', 'keyUsed', { ...wish, body: { ...NIA, name: 'Other' } });
      await walk.refused('POST /users', 'alreadyExists', { body: NIA });
      const found = await walk.call('GET /users', { query: { q: 'ash', site: 'york', loggedIn: 'false' } });
      expect(found.body).toMatchObject({ total: 1, users: [{ name: 'Nia Ash' }] });
    });

    test('renames them, with what they may', async () => {
      const before = await walk.call('GET /users/{extension}', { path });
      const etag = before.headers.get('etag') ?? '';
      const body = { name: 'Nia Oak', addOns: ['guest'], hotDeskLicence: true, numbers: ['+441904960150'] };
      const change = { path, body, headers: { 'if-match': etag } };
      const renamed = await walk.call('PATCH /users/{extension}', change);
      expect(renamed.body).toMatchObject(body);
      await walk.refused('PATCH /users/{extension}', 'changedMeanwhile', change);
      const fresh = await walk.call('GET /users/{extension}', { path });
      expect(fresh.headers.get('etag')).toBe(renamed.headers.get('etag'));
      const guest = { enabled: true, associationLimitHours: 8 };
      expect((await walk.call('PATCH /users/{extension}/guest', { path, body: guest })).body).toMatchObject({
        guestEnabled: true,
        associationLimitHours: 8,
      });
      const calls = { mailbox: '7050', forwarding: { always: null, unanswered: '1002' } };
      expect((await walk.call('PATCH /users/{extension}/calls', { path, body: calls })).body).toMatchObject(
        calls,
      );
    });

    test('gives them a PIN', async () => {
      const given = await walk.call('POST /users/{extension}/passcode', { path });
      expect(given).toMatchObject({ status: 201, body: { oneTime: true } });
      await walk.refused('PUT /users/{extension}/passcode', 'passcodeTooSimple', {
        ...{ path, body: { passcode: '111111' } },
      });
      await walk.call('PUT /users/{extension}/passcode', { path, body: { passcode: '593817' } });
      await walk.call('POST /users/{extension}/unlock', { path });
      const { body } = await walk.call('GET /users/{extension}', { path });
      expect(body).toMatchObject({ hasPasscode: true, passcodeOneTime: false });
    });

    test('lets them sit at a colleague’s phone', async () => {
      const offered = await walk.call('GET /users/{extension}/hosts', { path, query: { free: 'true' } });
      expect(offered.body.hosts.map(({ id }: { id: string }) => id)).toContain(PHONES.own);
      const sat = await walk.call('PUT /users/{extension}/association', { path, body: { host: PHONES.own } });
      expect(sat.body.association.host.id).toBe(PHONES.own);
      await walk.refused('DELETE /users/{extension}', 'associationRunning', { path });
      await walk.call('DELETE /users/{extension}/association', { path });
    });

    test('changes many people by a table, looked at first', async () => {
      const csv = 'Extension,Name,Site,Numbers\n1051,Omar Elm,york,+441904960151\n1050,Nia Ash,,';
      const dry = await walk.call('POST /users/import', { body: { csv, dryRun: true } });
      expect(dry.body).toMatchObject({ done: false, counts: { new: 1, changed: 1, problem: 0 } });
      const query = { plan: dry.body.plan };
      const done = await walk.call('POST /users/import', { query, body: csv, type: 'text/csv' });
      expect(done.body).toMatchObject({ done: true, plan: dry.body.plan });
      const bad = { body: { csv: `${csv}\n1052,Lost,Atlantis,` } };
      expect((await walk.refused('POST /users/import', 'invalidImport', bad)).body.errors).toEqual([
        { path: 'row 4, site', message: 'no such site' },
      ]);
    });

    test('lets them go, and closes the site', async () => {
      await walk.refused('DELETE /sites/{id}', 'inUse', { path: { id: 'york' } });
      const { headers } = await walk.call('GET /users/{extension}', { path });
      const etag = headers.get('etag') ?? '';
      await walk.call('DELETE /users/{extension}', { path, headers: { 'if-match': etag } });
      await walk.refused('GET /users/{extension}', 'unknownUser', { path });
      await walk.call('DELETE /users/{extension}', {
        path: { extension: '1051' },
        query: { release: 'true' },
      });
      await walk.call('DELETE /sites/{id}', { path: { id: 'york' } });
      await walk.refused('GET /sites/{id}', 'unknownSite', { path: { id: 'york' } });
    });

    test('comes as a file and goes as a file', async () => {
      const { body } = await walk.call('GET /directory');
      expect(body).toContain(PEOPLE.first.extension);
      await walk.call('PUT /directory', { body, type: 'application/yaml', query: { release: 'true' } });
      await walk.refused('PUT /directory', 'invalidDirectory', { body: 'a: b', type: 'application/yaml' });
      expect((await walk.call('GET /directory')).body).toBe(body);
    });
  });
}
