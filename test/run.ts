import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePackages } from '../src/os-packages.ts';
import { dockerAnswers, startDrachtio } from './support/containers.ts';
import { PEOPLE, PHONES, passwordOf } from './support/demo.ts';

/** `npm test`: all tests, and what came of them. */

interface Result {
  readonly ok: boolean;
  readonly summary: string;
  /** Names of what failed: told again at the end, where they are found. */
  readonly failures?: readonly string[];
  readonly retried?: readonly string[];
}

interface Outcome extends Result {
  readonly what: string;
  readonly seconds: number;
}

interface Step {
  readonly what: string;
  run(): Promise<Result>;
}

const VITEST = ['node_modules/.bin/vitest', 'run', '--config', 'test/vitest.config.ts'];
const NO_DOCKER = 'Docker does not answer here: the suite against the official images was not run';

/** Runs a command, shows what it writes, and returns it. */
function run(
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const [program = '', ...args] = command;
    const child = spawn(program, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const parts: string[] = [];
    child.stdout.on('data', (data: Buffer) => {
      parts.push(data.toString('utf8'));
      process.stdout.write(data);
    });
    child.stderr.on('data', (data: Buffer) => {
      parts.push(data.toString('utf8'));
      process.stderr.write(data);
    });
    child.once('error', (error) => resolve({ code: 127, output: error.message }));
    child.once('close', (code) => resolve({ code: code ?? 1, output: parts.join('') }));
  });
}

function withoutColour(text: string): string {
  return text.replace(/\u001b\[[0-9;]*m/g, '');
}

/** `Tests  12 passed (12)`, as vitest sums up. */
function vitestSummary(output: string): string {
  return /^\s*Tests\s+(.*)$/m.exec(withoutColour(output))?.[1]?.trim() ?? 'no summary';
}

/** What has passed at the second try only (see second-tries). */
function retriesIn(output: string): string[] {
  return [...withoutColour(output).matchAll(/^SECOND TRY (.*)$/gm)].flatMap(([, name]) => name ?? []);
}

/** ` FAIL  unit  test/… > name` and `FAILED name`, each once, with what was wrong. */
function failuresIn(output: string): string[] {
  const lines = withoutColour(output).split('\n');
  const found = lines.flatMap((line, index) => {
    const [, name] = /^\s*FAIL(?:ED)?\s+(.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [`${name}: ${(lines[index + 1] ?? '').trim()}`];
  });
  return [...new Set(found)];
}

function vitest(what: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Step {
  return {
    what,
    async run() {
      const { code, output } = await run([...VITEST, ...args], env);
      return {
        ok: code === 0,
        summary: vitestSummary(output),
        ...{ failures: failuresIn(output), retried: retriesIn(output) },
      };
    },
  };
}

/** The e2e suite; then everything it wrote is searched for every PIN, password and digest response. */
function endToEnd(what: string, env: Readonly<Record<string, string>>): Step {
  return {
    what,
    async run() {
      const tapes = await mkdtemp(join(tmpdir(), 'hotdesk-tapes-'));
      const e2e = [...VITEST, '--project', 'e2e', '--project', 'alone'];
      const { code, output } = await run(e2e, { ...env, HOTDESK_E2E_TAPES: tapes });
      const leaks = await findSecrets(tapes, output);
      await rm(tapes, { recursive: true, force: true });
      for (const leak of leaks) console.error(`SECRET WRITTEN: ${leak}`);
      const secrets = leaks.length === 0 ? 'no secret written' : `${leaks.length} secrets written`;
      const summary = `${vitestSummary(output)}, ${secrets}`;
      const ok = code === 0 && leaks.length === 0;
      return { ok, summary, failures: [...failuresIn(output), ...leaks], retried: retriesIn(output) };
    },
  };
}

/** Lines, cut short before the secret, in which one stands. What a test planted on purpose does not count. */
async function findSecrets(folder: string, output: string): Promise<string[]> {
  const names = await readdir(folder);
  const read = async (ending: string): Promise<string[]> =>
    Promise.all(
      names.filter((name) => name.endsWith(ending)).map((name) => readFile(join(folder, name), 'utf8')),
    );
  const responses = (await read('.responses')).flatMap((text) => text.split('\n'));
  const fixed = [...Object.values(PEOPLE).map(({ pin }) => pin), ...Object.values(PHONES).map(passwordOf)];
  const secrets = [...fixed, ...responses].filter((secret) => secret !== '');
  const lines = [...(await read('.log')), withoutColour(output)].flatMap((text) => text.split('\n'));
  if (responses.length === 0) return ['(no digest response was collected: the search is blind)'];
  return lines
    .filter((line) => !line.includes('planted'))
    .flatMap((line) => {
      const secret = secrets.find((one) => line.includes(one) && !insideAWord(line, one));
      return secret === undefined ? [] : [`${line.slice(0, line.indexOf(secret)).slice(-80)}…`];
    });
}

/** Six digits inside a hexadecimal or base64 word are chance. */
function insideAWord(line: string, secret: string): boolean {
  return /^\d+$/.test(secret) && !new RegExp(`(?<![A-Za-z])\\d*${secret}\\d*(?![A-Za-z])`).test(line);
}

/** The same e2e suite against the official drachtio-server and Redis images. */
const containers: Step = {
  what: 'e2e, official images',
  async run() {
    if (!(await dockerAnswers())) return { ok: true, summary: NO_DOCKER };
    const drachtio = await startDrachtio();
    try {
      return await endToEnd('', drachtio.env).run();
    } finally {
      await drachtio.stop();
    }
  },
};

/** A program of ours whose last line says how many have passed. */
function program(what: string, ...args: readonly string[]): Step {
  return {
    what,
    async run() {
      const { code, output } = await run([process.execPath, '--import', 'tsx', ...args]);
      return {
        ok: code === 0,
        summary: output.trim().split('\n').at(-1) ?? '',
        ...{ failures: failuresIn(output), retried: retriesIn(output) },
      };
    },
  };
}

const CHAOS_SECONDS = '20';
const CALLS_PER_STATE = '20';

/** One after the other; those in one line wait more than they work, and run beside each other. */
const STEPS: readonly (readonly Step[])[] = [
  [vitest('unit and contract', ['--project', 'unit', '--project', 'contract'])],
  [endToEnd('e2e', {})],
  [
    vitest('the portal, in a browser', ['--project', 'portal'], { HOTDESK_PICTURES: 'build/pictures' }),
    program('SIPp scenarios', 'sip-scenarios/run.ts'),
  ],
  [containers],
  [program('emergency calls while all is wrong', 'test/chaos/emergency.ts', CALLS_PER_STATE)],
  [program('chaos', 'test/chaos/run.ts', CHAOS_SECONDS)],
];

async function main(): Promise<number> {
  const wanted = [
    { binary: 'redis-server', package: 'redis-server' },
    { binary: 'sipp', package: 'sip-tester' },
    { binary: 'xmllint', package: 'libxml2-utils' },
    { binary: 'chromium', package: 'chromium' },
  ];
  const missing = await ensurePackages(wanted, console.log);
  if (missing !== undefined) {
    console.error(missing);
    return 1;
  }
  const outcomes: Outcome[] = [];
  for (const steps of STEPS) outcomes.push(...(await Promise.all(steps.map(timed))));
  console.log('');
  for (const { what, ok, summary, seconds, failures = [], retried = [] } of outcomes) {
    console.log(`${ok ? 'ok    ' : 'FAILED'} ${what}: ${summary} (${seconds} s)`);
    for (const name of retried) console.log(`         at the second try: ${name}`);
    if (!ok) for (const failure of failures) console.log(`         ${failure.slice(0, 300)}`);
  }
  const ok = outcomes.every((outcome) => outcome.ok);
  const passed = count(outcomes, 'passed');
  // A step that failed without a count (a secret written, a crash) is a failure all the same.
  const failed = Math.max(count(outcomes, 'failed'), ok ? 0 : 1);
  console.log(`${passed} passed, ${failed} failed`);
  return ok ? 0 : 1;
}

async function timed(step: Step): Promise<Outcome> {
  const startedAt = Date.now();
  const result = await step.run();
  return { what: step.what, ...result, seconds: Math.round((Date.now() - startedAt) / 1000) };
}

/** Adds up `N passed` or `N failed` over all summaries. */
function count(outcomes: readonly Outcome[], word: 'passed' | 'failed'): number {
  return outcomes.reduce(
    (sum, { summary }) => sum + Number(new RegExp(`(\\d+) ${word}`).exec(summary)?.[1] ?? 0),
    0,
  );
}

process.exit(await main());
