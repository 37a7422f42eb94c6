import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Host, User } from '../../src/domain/directory.ts';
import { isRefusal } from '../../src/domain/reasons.ts';
import { tableOf } from '../../src/services/directory-document.ts';
import { DirectoryLists } from '../../src/services/lists/directory-lists.ts';
import { directory, host, user } from '../unit/domain/example.ts';
import { median, percentile } from './process.ts';

const PEOPLE = 100_000;
const PHONES = 50_000;
const TIMES = 40;
const TARGET_MS = 30;
const NAMES = ['Amelia', 'Oliver', 'Priya', 'George', 'Zoë', 'Bob', 'Nia', 'Tom'];

/**
 * How long a page of a long list takes, and how long the event loop stands still meanwhile: calls must not wait for
 * somebody who looks for a name.
 */
export async function benchLists(): Promise<boolean> {
  const view = viewOfMany();
  const lists = new DirectoryLists({ view });
  lists.start();
  const build = await timed(() => lists.users({ sort: 'name', limit: 50 }));
  console.log(`Lists of ${PEOPLE} people and ${PHONES} phones (target: below ${TARGET_MS} ms a page)`);
  console.log(`  put in order once: ${build.ms.toFixed(0)} ms, longest pause ${build.pauseMs.toFixed(0)} ms`);
  const questions: readonly [string, () => Promise<unknown>][] = [
    ['people, first page', () => lists.users({ sort: 'name', limit: 50 })],
    ['people, by site, backwards', () => lists.users({ sort: 'site', descending: true, limit: 200 })],
    ['people, "zoe 77"', () => lists.users({ sort: 'name', limit: 50, q: 'zoe 77' })],
    ['people, one of two sites', () => lists.users({ sort: 'name', limit: 50, site: 'leeds' })],
    ['phones, free, q=desk', () => lists.hosts({ sort: 'since', limit: 50, status: 'free', q: 'desk' })],
    ['phones for a guest', () => lists.hostsFor('10000001', { limit: 100, q: '9' })],
  ];
  let slowest = 0;
  for (const [name, ask] of questions) slowest = Math.max(slowest, await report(name, ask));
  lists.stop();
  return slowest < TARGET_MS;
}

async function report(name: string, ask: () => Promise<unknown>): Promise<number> {
  const runs: { ms: number; pauseMs: number }[] = [];
  for (let i = 0; i < TIMES; i++) runs.push(await timed(ask));
  const times = runs.map(({ ms }) => ms);
  const pause = Math.max(...runs.map(({ pauseMs }) => pauseMs));
  const [middle, high] = [median(times), percentile(times, 0.95)];
  console.log(
    `  ${name.padEnd(28)} median ${middle.toFixed(1)} ms, p95 ${high.toFixed(1)} ms, longest pause ${pause.toFixed(1)} ms`,
  );
  return middle;
}

async function timed(ask: () => Promise<unknown>): Promise<{ ms: number; pauseMs: number }> {
  const pauses = monitorEventLoopDelay({ resolution: 1 });
  pauses.enable();
  const begun = process.cpuUsage();
  const answer = await ask();
  const { user: worked, system } = process.cpuUsage(begun);
  // Of the processor, so that a busy machine does not decide.
  const ms = (worked + system) / 1000;
  pauses.disable();
  if (isRefusal(answer)) throw new Error(answer.refused);
  return { ms, pauseMs: pauses.max / 1e6 };
}

function viewOfMany() {
  const { company, sites } = directory({});
  const users = Array.from({ length: PEOPLE }, (_, i) => person(i));
  const hosts = Array.from({ length: PHONES }, (_, i) => phone(i));
  const table = tableOf([
    { kind: 'company', value: company },
    ...[...sites.values()].map((value) => ({ kind: 'site', value }) as const),
    ...users.map((value) => ({ kind: 'user', value }) as const),
    ...hosts.map((value) => ({ kind: 'host', value }) as const),
  ]);
  return {
    directory: table,
    onChange: () => () => undefined,
    associationAt: () => undefined,
    associationOf: () => undefined,
    bindingsOf: () => [],
  };
}

function person(i: number): User {
  const name = `${NAMES[i % NAMES.length]} Number${(i * 7919) % PEOPLE}`;
  const site = i % 2 === 0 ? 'london' : 'leeds';
  const numbers = [`+4420${10_000_000 + i}`];
  return user(String(10_000_000 + i), { name, site, numbers, email: `p${i}@example.com` });
}

function phone(i: number): Host {
  const id = `cp${i.toString(16).padStart(12, '0')}`;
  return host(id, { nickname: `Desk ${(i * 7919) % PHONES}`, site: i % 2 === 0 ? 'london' : 'leeds' });
}

if (process.argv[1] === new URL(import.meta.url).pathname) process.exit((await benchLists()) ? 0 : 1);
