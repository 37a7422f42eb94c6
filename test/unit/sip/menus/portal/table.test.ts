import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VOICE_PORTAL_KEYS, type VoicePortalKeys } from '../../../../../src/domain/voice-portal.ts';
import { promptIds } from '../../../../../src/media/prompt-ids.ts';
import {
  type MenuName,
  type Menus,
  menusWith,
  type Position,
  promptOf,
  type Step,
  stepFrom,
} from '../../../../../src/sip/menus/portal/table.ts';

/** The voice portal's table: every menu, every key, silence (rules B4–B6). */

const KEYS = [...'0123456789*#'];
const MENUS: readonly MenuName[] = ['main', 'hoteling', 'review'];
const menus = menusWith(VOICE_PORTAL_KEYS);

/** Short for what a step does. */
function told(step: Step): string {
  if (step.kind === 'act') return step.action;
  if (step.kind === 'end') return `end: ${step.why}`;
  const { menu, misses } = step.at;
  return `${menu}${misses === 0 ? '' : ` ${misses}`}: ${step.say.join(' ')}`.replace(/: $/, '');
}

const at = (menu: MenuName, misses = 0): Position => ({ menu, misses });

describe('the keys of the help page, and the rest of BroadWorks', () => {
  test.each([
    ['main', '7', 'hoteling'],
    ['main', '1', 'recordName'],
    ['main', '8', 'changePasscode'],
    ['main', '9', 'tellAddress'],
    ['main', '#', 'main'],
    ['main', '*', 'end: exit'],
    ['hoteling', '1', 'checkHostStatus'],
    ['hoteling', '2', 'associate'],
    ['hoteling', '3', 'disassociate'],
    ['hoteling', '4', 'disassociateFromRemoteHost'],
    ['hoteling', '*', 'main'],
    ['hoteling', '#', 'hoteling'],
    ['review', '1', 'keepName'],
    ['review', '2', 'recordName'],
    ['review', '#', 'playName'],
    ['review', '*', 'main'],
  ] as const)('%s %s: %s', (menu, key, what) => {
    expect(told(stepFrom(menus, at(menu), { key }))).toBe(what);
  });

  test('every other key, anywhere, is told, and the third miss in a row ends it', () => {
    for (const menu of MENUS) {
      const used = menus[menu].choices.map(({ key }) => key);
      for (const key of [...KEYS, 'A', 'D'].filter((one) => !used.includes(one))) {
        const tries = [0, 1, 2].map((misses) => told(stepFrom(menus, at(menu, misses), { key })));
        expect(tries).toEqual([`${menu} 1: invalid-key`, `${menu} 2: invalid-key`, 'end: invalid']);
      }
    }
  });

  test('silence, too; with wrong keys it makes one count', () => {
    for (const menu of MENUS) {
      const tries = [0, 1, 2].map((misses) => told(stepFrom(menus, at(menu, misses), 'silence')));
      expect(tries).toEqual([`${menu} 1: no-input`, `${menu} 2: no-input`, 'end: silence']);
    }
  });

  test('goodbye is said at every end', () => {
    for (const menu of MENUS) {
      for (const input of ['silence', { key: '0' }, { key: '*' }] as const) {
        const step = stepFrom(menus, at(menu, 2), input);
        if (step.kind === 'end') expect(step.say.at(-1)).toBe('goodbye');
      }
    }
  });
});

describe('whatever keys a company chooses', () => {
  const distinct = fc.uniqueArray(fc.constantFrom(...KEYS), { minLength: 6, maxLength: 6 });
  const configuration = fc
    .tuple(distinct, distinct, distinct)
    .map(([main, hoteling, recorded]): VoicePortalKeys => {
      const named = (names: readonly string[], keys: readonly string[]): Record<string, string> =>
        Object.fromEntries(names.map((name, index) => [name, keys[index] ?? '']));
      return {
        main: named(Object.keys(VOICE_PORTAL_KEYS.main), main),
        hoteling: named(Object.keys(VOICE_PORTAL_KEYS.hoteling), hoteling),
        recordedName: named(Object.keys(VOICE_PORTAL_KEYS.recordedName), recorded),
      } as unknown as VoicePortalKeys;
    });

  test('each choice is reached by its key and by no other, from everywhere, and the walk ends', () => {
    fc.assert(
      fc.property(configuration, fc.array(fc.constantFrom(...KEYS, 'silence')), (keys, inputs) => {
        const own = menusWith(keys);
        for (const menu of MENUS) {
          const reached = KEYS.filter((key) => isChoice(own, menu, key));
          expect(reached.sort()).toEqual(own[menu].choices.map(({ key }) => key).sort());
        }
        expect(told(stepFrom(own, at('main'), { key: keys.main.exit }))).toBe('end: exit');
        expect(told(stepFrom(own, at('main'), { key: keys.main.hoteling }))).toBe('hoteling');
        expect(told(stepFrom(own, at('hoteling'), { key: keys.hoteling.associate }))).toBe('associate');
        expect(told(stepFrom(own, at('review'), { key: keys.recordedName.keep }))).toBe('keepName');
        expect(told(stepFrom(own, at('review'), { key: keys.recordedName.previous }))).toBe('main');
        expect(misses(own, inputs)).toBeLessThan(3);
      }),
    );
  });

  test('what is announced is what the keys do', () => {
    fc.assert(
      fc.property(configuration, (keys) => {
        const said = promptOf(menusWith(keys).hoteling).join(' ');
        const name = (key: string): string => ({ '*': 'star', '#': 'hash' })[key] ?? key;
        expect(said).toContain(`to-associate digit-${name(keys.hoteling.associate)} pause`);
        expect(said).toContain(`to-go-back digit-${name(keys.hoteling.previous)} pause`);
      }),
    );
  });
});

test('hotelling is announced so, with its key', () => {
  expect(promptOf(menus.main).slice(0, 2)).toEqual(['for-hotelling', 'digit-7']);
  expect(promptOf(menus.hoteling)[0]).toBe('hotelling');
});

test('every prompt of the table has been recorded', () => {
  const recorded = new Set(promptIds('config/prompts/en-GB'));
  for (const menu of MENUS) for (const clip of promptOf(menus[menu])) expect(recorded).toContain(clip);
});

function isChoice(own: Menus, menu: MenuName, key: string): boolean {
  return !told(stepFrom(own, at(menu), { key })).includes('invalid-key');
}

/** The most misses in a row anywhere on a walk; an action is taken to lead back to the main menu. */
function misses(own: Menus, inputs: readonly string[]): number {
  let place = at('main');
  let most = 0;
  for (const input of inputs) {
    const step = stepFrom(own, place, input === 'silence' ? input : { key: input });
    if (step.kind === 'end') return most;
    place = step.kind === 'ask' ? step.at : at('main');
    most = Math.max(most, place.misses);
  }
  return most;
}
