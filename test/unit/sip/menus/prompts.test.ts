import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { promptIds } from '../../../../src/media/prompt-ids.ts';

/** Prompts and what plays them, compared by the words in the source: most states of the menus are met seldom. */

const IDS = promptIds('config/prompts/en-GB');
/** Put together from what is read out: see clips.ts and wiring/demo.ts. */
const READ_OUT = /^(digit|number|letter)-[0-9a-z]+$|^demo-(cp|u)[0-9a-f]+$/;
const SPEAKING = /^(menus\/.*|reasons|demo-trunk|calls\/emergency)\.ts$/;

/** Texts in single quotes under src/sip, without the names of other files. */
function quoted(which: RegExp): Set<string> {
  const files = readdirSync('src/sip', { recursive: true, encoding: 'utf8' }).filter((file) =>
    which.test(file),
  );
  const source = files.map((file) => readFileSync(`src/sip/${file}`, 'utf8').replaceAll(/ from '.*'/g, ''));
  return new Set([...source.join('\n').matchAll(/'([a-z0-9-]+)'/g)].map(([, text = '']) => text));
}

test('every prompt that is named has been recorded', () => {
  const named = [...quoted(SPEAKING)].filter((text) => text.includes('-'));
  expect(named.length).toBeGreaterThan(70);
  expect(named.filter((text) => !IDS.includes(text))).toEqual([]);
});

test('every prompt that has been recorded is played somewhere', () => {
  const named = quoted(/\.ts$/);
  expect(IDS.filter((id) => !named.has(id) && !READ_OUT.test(id))).toEqual([]);
});
