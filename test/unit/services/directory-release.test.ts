import { describe, expect, test } from 'vitest';
import { isRefusal } from '../../../src/domain/reasons.ts';
import { controlProblems } from '../../../src/services/control-characters.ts';
import { DirectoryService } from '../../../src/services/directory-service.ts';
import { releaseAll } from '../../../src/services/releases.ts';
import { FakePasscodes } from './fake-passcodes.ts';
import { ACTOR, guestOffice } from './guest-office.ts';

/** A whole directory put in its place while people sit by what it changes (B1–B3); and what no name has. */

async function office() {
  const made = await guestOffice();
  const { harness, view } = made;
  const { store, log, clock, random } = harness;
  const service = new DirectoryService({
    ...{ store, view, passcodes: new FakePasscodes(), clock, log, company: 'acme', realm: 'test' },
    release: (associations, actor) => releaseAll(associations, { store, random, log }, { actor }),
  });
  const yaml = await service.exportYaml();
  if (isRefusal(yaml)) throw new Error(yaml.refused);
  return { ...made, service, yaml };
}

describe('a directory that takes something from who is logged in', () => {
  test('is refused, or releases them first when that is asked for', async () => {
    const { service, yaml, hotDesk, seats, userNow } = await office();
    await hotDesk.associate({ host: 'd1', extension: '1001', actor: ACTOR });
    await hotDesk.associate({ host: 'd2', extension: '1002', actor: ACTOR });
    const changed = yaml.replace(/("?1001"?:\n(?: {4}.*\n)*? {4}hotDeskLicence: )true/, '$1false');
    expect(changed).not.toBe(yaml);
    const no = await service.importYaml(changed, { actor: ACTOR });
    expect(no).toMatchObject({ refused: 'associationRunning' });
    expect(await seats()).toEqual(['1001@d1', '1002@d2']);
    const done = await service.importYaml(changed, { actor: ACTOR, release: true });
    expect(done).toMatchObject({ written: true });
    expect([await seats(), userNow('1001')?.hotDeskLicence]).toEqual([['1002@d2'], false]);
  });

  test('releases nobody for what is not valid', async () => {
    const { service, yaml, hotDesk, seats } = await office();
    await hotDesk.associate({ host: 'd1', extension: '1001', actor: ACTOR });
    const bad = yaml.replace('site: london', 'site: atlantis');
    expect(await service.importYaml(bad, { actor: ACTOR, release: true })).toMatchObject({
      refused: 'invalidDirectory',
    });
    expect(await seats()).toEqual(['1001@d1']);
  });
});

describe('control characters', () => {
  test.each(['\u0000', '\t', '\n', '\u007F', '\u0085', '\u2028', '\u202E', '\u2066', '\uD800'])(
    '%j',
    (sign) => {
      expect(controlProblems('user:1', { name: `A${sign}B`, numbers: [1] })).toEqual([
        'user:1.name: must not have control characters',
      ]);
    },
  );

  test('are refused in names of people, phones and places, by edits and by files', async () => {
    const { service, yaml, userNow } = await office();
    const change = (name: string) =>
      service.updateUser('1001', (user) => ({ ...user, name }), { actor: ACTOR });
    expect(await change('Ann\u202Eie')).toMatchObject({ refused: 'invalidDirectory' });
    expect(await change('Annie O’Hara-Smith 李')).toMatchObject({ name: 'Annie O’Hara-Smith 李' });
    const file = yaml.replace('nickname: d1', 'nickname: "d\\u00071"');
    expect(await service.importYaml(file, { actor: ACTOR })).toMatchObject({
      problems: ['hosts.d1.nickname: must not have control characters'],
    });
    expect(userNow('1001')?.name).toContain('Annie');
  });
});
