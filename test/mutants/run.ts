import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MUTANTS, type Mutant } from './mutants.ts';

/**
 * `npm run test:mutants [word …]`: breaks one guarding line of the scripts after the other, in a copy of the project,
 * and runs the contract tests that must notice. Ends with 1 when a mutant survives, or stands no longer in its
 * file. Words choose those whose file or description holds one of them.
 */

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** A mutant that makes a test wait for ever is noticed, too. */
const LONGEST_MS = 240_000;

type Verdict = { readonly killedBy: string } | { readonly problem: string };

async function copyProject(): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'hd-mutants-'));
  for (const part of ['src', 'test', 'config', 'package.json', 'tsconfig.json'])
    await cp(join(ROOT, part), join(copy, part), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** Runs contract tests of the copy; the name of the first that failed, or undefined when all passed. */
async function firstFailure(copy: string, tests: readonly string[]): Promise<string | undefined> {
  const report = join(copy, 'report.json');
  await rm(report, { force: true });
  const files = tests.map((name) => `test/contract/store/${name.split('#')[0]}.test.ts`);
  const pattern = tests[0]?.split('#')[1];
  const which = pattern === undefined ? files : [...files, '-t', pattern];
  const args = ['run', '--config', 'test/vitest.config.ts', '--project', 'contract', '--bail', '1', ...which];
  const child = spawn(
    join('node_modules', '.bin', 'vitest'),
    [...args, '--reporter', 'json', '--outputFile', report],
    {
      cwd: copy,
      env: { ...process.env, HOTDESK_RUNS: '200,0' },
      stdio: 'ignore',
      timeout: LONGEST_MS,
    },
  );
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code === 0) return undefined;
  return failureIn(await readFile(report, 'utf8').catch(() => '{}')) ?? 'the run as a whole';
}

interface Report {
  readonly testResults?: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly status: string; readonly title: string }[];
  }[];
}

function failureIn(text: string): string | undefined {
  for (const { name, assertionResults } of (JSON.parse(text) as Report).testResults ?? []) {
    const failed = assertionResults.find(({ status }) => status === 'failed');
    const file = name.split('/').at(-1)?.replace('.test.ts', '');
    if (failed !== undefined) return `${file}: ${failed.title}`;
  }
  return undefined;
}

async function judge(copy: string, { file, find, replace, tests }: Mutant): Promise<Verdict> {
  const path = join(copy, 'src', 'store', 'redis', file);
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return { problem: 'THE FILE IS GONE' };
  const found = text.split(find).length - 1;
  if (found !== 1) return { problem: `ERROR: its text stands ${found} times in the file` };
  const broken = text.replace(find, () => replace);
  await writeFile(path, broken);
  try {
    const failure = await firstFailure(copy, tests);
    return failure === undefined ? { problem: 'SURVIVED' } : { killedBy: failure };
  } finally {
    await writeFile(path, text);
  }
}

function distinct(lists: readonly (readonly string[])[]): (readonly string[])[] {
  return [...new Map(lists.map((list) => [list.join(), list])).values()];
}

async function main(words: readonly string[]): Promise<number> {
  const chosen = MUTANTS.filter(
    ({ file, what }) =>
      words.length === 0 || words.some((word) => file.includes(word) || what.includes(word)),
  );
  const copy = await copyProject();
  let bad = 0;
  try {
    for (const tests of distinct(chosen.map((mutant) => mutant.tests))) {
      // A busy machine may fail a test that measures time: once is no proof.
      const failure = (await firstFailure(copy, tests)) && (await firstFailure(copy, tests));
      if (failure === undefined) continue;
      console.error(`Nothing is broken yet, and a test fails all the same: ${failure}`);
      return 1;
    }
    for (const mutant of chosen) {
      const verdict = await judge(copy, mutant);
      if ('problem' in verdict) bad += 1;
      const said = 'problem' in verdict ? verdict.problem : `killed by ${verdict.killedBy}`;
      console.log(`${mutant.file.padEnd(20)} ${mutant.what.padEnd(52)} ${said}`);
    }
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
  console.log(`${chosen.length} mutants: ${chosen.length - bad} killed, ${bad} not`);
  return bad === 0 ? 0 : 1;
}

process.exit(await main(process.argv.slice(2)));
