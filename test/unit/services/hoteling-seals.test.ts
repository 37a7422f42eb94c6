import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import type { User } from '../../../src/domain/directory.ts';
import { allEntries, toStored } from '../../../src/services/directory-document.ts';
import { DirectoryService } from '../../../src/services/directory-service.ts';
import { HotelingSeals } from '../../../src/services/hoteling-seals.ts';
import { HotelingSecrets } from '../../../src/services/hoteling-secrets.ts';
import { PasscodeService } from '../../../src/services/passcode-service.ts';
import { createSealing, type Sealing } from '../../../src/services/sealing.ts';
import { directory, user } from '../domain/example.ts';
import { FakePasscodes, fakeHash } from './fake-passcodes.ts';
import { Harness, PEPPER, settle } from './harness.ts';

/** The second, sealed copy of a passcode, which phones with Guest In keys need: only by opt-in. */

const ACTOR = 'admin:kim';
const PASSCODE = '583914';
const sealing = createSealing({ keyId: 'k', pepper: PEPPER });
const seals = new HotelingSeals({ sealing, company: 'acme' });

function md5(nonce: string, passcode: string): string {
  return createHash('md5').update(`${nonce}:${passcode}`).digest('hex');
}

function person(differs: Partial<User> = {}): User {
  const one = user('1001', { hotelingKeys: true, passcodeHash: fakeHash(PASSCODE) });
  return { ...one, hotelingSecret: seals.sealed(one, PASSCODE), ...differs };
}

describe('a response', () => {
  test('is MD5 of nonce:passcode, as a Cisco phone makes it', () => {
    const guest = user('1001', { hotelingKeys: true, passcodeHash: fakeHash('4711') });
    const hotelingSecret = seals.sealed(guest, '4711');
    const response = 'aa983c59fa820a87b528a03f9050584c';
    expect(seals.proves({ ...guest, hotelingSecret }, { nonce: '4f2c9a', response })).toBe(true);
    expect(
      seals.proves({ ...guest, hotelingSecret }, { nonce: '4f2c9a', response: response.toUpperCase() }),
    ).toBe(true);
  });

  const right = md5('n1', PASSCODE);
  test.each<[string, User | undefined, string]>([
    ['of nobody', undefined, right],
    ['of nobody, to no passcode at all', undefined, md5('n1', '')],
    ['of nobody, to the decoy', undefined, md5('n1', '000000')],
    ['of who has not opted in', person({ hotelingKeys: false }), right],
    ['of whom nothing is sealed', person({ hotelingSecret: undefined }), right],
    ['of whom nothing is sealed, to no passcode', person({ hotelingSecret: undefined }), md5('n1', '')],
    ['to a passcode that is to be replaced', person({ passcodeOneTime: true }), right],
    ['to the passcode before', person({ passcodeHash: fakeHash('204863') }), right],
    ['with what was sealed for another', { ...person(), extension: '1002' }, right],
    ['that is wrong', person(), md5('n1', '204863')],
    ['to another nonce', person(), md5('n2', PASSCODE)],
    ['that is too short', person(), right.slice(0, 30)],
    ['that is too long', person(), `${right}00`],
    ['that is no hex', person(), `${right.slice(0, 31)}g`],
    ['that is empty', person(), ''],
  ])('%s proves nothing', (_what, who, response) => {
    expect(seals.proves(who, { nonce: 'n1', response })).toBe(false);
  });

  test('costs the same for everybody: one box is opened', () => {
    let opened = 0;
    const counting: Sealing = {
      ...sealing,
      open: (...box) => {
        opened++;
        return sealing.open(...box);
      },
    };
    const counted = new HotelingSeals({ sealing: counting, company: 'acme' });
    for (const who of [
      undefined,
      person(),
      person({ hotelingKeys: false }),
      person({ hotelingSecret: undefined }),
    ]) {
      opened = 0;
      counted.proves(who, { nonce: 'n1', response: right });
      expect(opened).toBe(1);
    }
  });
});

describe('the opt-in', () => {
  let harness: Harness;
  let passcodes: FakePasscodes;
  let service: PasscodeService;
  let secrets: HotelingSecrets;
  let files: DirectoryService;

  beforeEach(async () => {
    harness = new Harness();
    passcodes = new FakePasscodes();
    const people = [
      user('1001', { passcodeHash: fakeHash(PASSCODE) }),
      user('1002', { passcodeHash: undefined }),
    ];
    const company = directory({ users: people, hosts: [] });
    await harness.store.writeDirectory({ put: toStored(allEntries(company)), remove: [], actor: 'test' });
    await harness.follow();
    const { store, view, log, clock } = harness;
    const deps = { store, view, log, clock, passcodes, seals };
    files = new DirectoryService({ ...deps, company: 'acme', realm: 'test' });
    service = new PasscodeService({ ...deps, directory: files, randomInt: () => 7 });
    secrets = new HotelingSecrets({ directory: files, log });
  });

  function stored(extension = '1001'): User {
    const found = harness.view.directory?.users.get(extension);
    if (!found) throw new Error('no such user');
    return found;
  }

  function proves(passcode: string): boolean {
    return seals.proves(stored(), { nonce: 'n1', response: md5('n1', passcode) });
  }

  test('keeps nothing yet: the passcode is not known', async () => {
    expect(await secrets.enable('1001', ACTOR)).toMatchObject({
      hotelingKeys: true,
      hotelingSecret: undefined,
    });
    expect(stored()).toMatchObject({ hotelingKeys: true });
    expect(proves(PASSCODE)).toBe(false);
  });

  test('from the next right entry on it is there, and the hash is not made anew', async () => {
    await secrets.enable('1001', ACTOR);
    service.renew(stored(), PASSCODE);
    await settle();
    expect(proves(PASSCODE)).toBe(true);
    expect([stored().passcodeHash, passcodes.hashed]).toEqual([fakeHash(PASSCODE), []]);
    expect(stored().hotelingSecret).not.toContain(PASSCODE);
    const writes = harness.store.calls.filter((call) => call === 'writeDirectory').length;
    service.renew(stored(), PASSCODE);
    await settle();
    expect(harness.store.calls.filter((call) => call === 'writeDirectory')).toHaveLength(writes);
  });

  test('who has not opted in: an entry keeps nothing', async () => {
    service.renew(stored(), PASSCODE);
    await settle();
    expect(stored().hotelingSecret).toBeUndefined();
  });

  test('an entry of before a change keeps nothing', async () => {
    await secrets.enable('1001', ACTOR);
    const before = stored();
    await service.set('1001', '204863', ACTOR);
    service.renew(before, PASSCODE);
    await settle();
    expect([proves(PASSCODE), proves('204863')]).toEqual([false, true]);
  });

  test('a passcode that is set or chosen takes the place of the old one', async () => {
    await secrets.enable('1001', ACTOR);
    await service.set('1001', '204863', ACTOR);
    expect(proves('204863')).toBe(true);
    await service.replace(stored(), '739150', { previous: '204863' });
    expect([proves('204863'), proves('739150')]).toEqual([false, true]);
  });

  test('one that is given out is not kept, and the old one is gone', async () => {
    await secrets.enable('1001', ACTOR);
    await service.set('1001', '204863', ACTOR);
    service = new PasscodeService({
      ...{ ...harness, store: harness.store, view: harness.view, passcodes, seals, directory: files },
      randomInt: (() => {
        let n = 0;
        return () => [5, 8, 3, 9, 1, 4][n++ % 6] ?? 0;
      })(),
    });
    await service.giveOneTime('1001', ACTOR);
    expect(stored()).toMatchObject({ passcodeOneTime: true });
    expect(stored().hotelingSecret).toBeUndefined();
  });

  test('ended: what was kept is deleted, and a change keeps nothing', async () => {
    await secrets.enable('1001', ACTOR);
    await service.set('1001', '204863', ACTOR);
    expect(await secrets.disable('1001', ACTOR)).toMatchObject({ hotelingKeys: false });
    expect(stored().hotelingSecret).toBeUndefined();
    await service.set('1001', '739150', ACTOR);
    expect(stored().hotelingSecret).toBeUndefined();
  });

  test('twice is once; of nobody is refused', async () => {
    await secrets.enable('1001', ACTOR);
    const { length } = harness.store.log;
    await secrets.enable('1001', ACTOR);
    expect(harness.store.log).toHaveLength(length);
    expect(await secrets.enable('1999', ACTOR)).toMatchObject({ refused: 'unknownUser' });
    harness.store.down = true;
    expect(await secrets.disable('1001', ACTOR)).toMatchObject({ refused: 'storeUnavailable' });
  });

  test('in a file: a passcode in clear is kept as well, and the export gives it back sealed', async () => {
    const exported = await files.exportYaml();
    if (typeof exported !== 'string') throw new Error('no export');
    const clear = exported
      .replace(`passcodeHash: ${fakeHash(PASSCODE)}`, `passcode: "204863"`)
      .replace('hotelingKeys: false', 'hotelingKeys: true');
    expect(await files.importYaml(clear, { actor: ACTOR })).toMatchObject({ written: true });
    expect(proves('204863')).toBe(true);
    const again = await files.exportYaml();
    expect(again).not.toContain('passcode: ');
    expect(again).toContain('hotelingSecret: k:');
    await files.importYaml(again as string, { actor: ACTOR });
    expect(proves('204863')).toBe(true);
    const stray = (again as string).replace('hotelingKeys: true', 'hotelingKeys: false');
    expect(await files.importYaml(stray, { actor: ACTOR })).toMatchObject({
      problems: ['users.1001: has hotelingSecret without hotelingKeys'],
    });
  });
});
