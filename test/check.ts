import { spawnSync } from 'node:child_process';

/** `npm run check`: types, lint and formatting, and the rules of the house. Under 20 s, so that it is run often. */
const steps: readonly (readonly [what: string, command: string, ...args: string[]])[] = [
  ['types', 'tsc', '-p', 'tsconfig.json'],
  ['types of the portal', 'tsc', '-p', 'src/portal/tsconfig.json'],
  ['lint and formatting', 'biome', 'check', '--error-on-warnings', '.'],
  [
    'house rules',
    'vitest',
    'run',
    '--config',
    'test/vitest.config.ts',
    '--project',
    'unit',
    'test/unit/house.test.ts',
  ],
];

let failed = 0;
for (const [what, command, ...args] of steps) {
  const startedAt = Date.now();
  const { status } = spawnSync(`node_modules/.bin/${command}`, args, { stdio: 'inherit' });
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${what} (${seconds} s)`);
  if (status !== 0) failed++;
}
process.exit(failed === 0 ? 0 : 1);
