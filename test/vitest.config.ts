import { defineConfig } from 'vitest/config';

/** Many of these wait more than they work; more at a time would disturb those that hold the media clock to its pace. */
const WORKERS = 2;

/**
 * On a CI machine a test of whole processes, sockets and clocks gets a second try, because other work of that machine can
 * hold any of them up; `npm test` names at its end which have needed it. Nowhere else.
 */
const RETRY = process.env.CI === undefined ? 0 : 1;

const root = new URL('..', import.meta.url).pathname;

/** Whatever starts a Hotdesk loads all of it, 4 s of a processor: once in a worker, not once in a file. */
const isolate = false;
/** What comes soon comes later on a busy machine: a second, the default, is not patience. */
const expect = { poll: { timeout: 10_000 } };
const globalSetup = ['test/support/build-portal.ts'];

/** One project per kind of test; each folder says what it may touch (see README, Tests). */
export default defineConfig({
  root,
  test: {
    reporters: ['default', 'test/support/second-tries.ts'],
    projects: [
      {
        root,
        test: {
          name: 'unit',
          expect,
          include: ['test/unit/**/*.test.ts'],
          testTimeout: 60_000,
          maxWorkers: WORKERS,
        },
      },
      {
        root,
        test: {
          name: 'contract',
          expect,
          include: ['test/contract/**/*.test.ts'],
          testTimeout: 60_000,
          maxWorkers: WORKERS,
          retry: RETRY,
        },
      },
      {
        root,
        test: {
          name: 'portal',
          expect,
          globalSetup,
          isolate,
          include: ['test/portal/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Each has a browser.
          maxWorkers: 2,
          retry: RETRY,
        },
      },
      {
        root,
        test: {
          name: 'e2e',
          expect,
          globalSetup,
          isolate,
          include: ['test/e2e/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 6,
          retry: RETRY,
          // A real drachtio-server deals calls out to all who listen: one Hotdesk at a time.
          fileParallelism: process.env.DRACHTIO_HOST === undefined,
        },
      },
      {
        root,
        test: {
          name: 'alone',
          expect,
          globalSetup,
          isolate,
          include: ['test/e2e/alone/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // These flood, or hold an issue's limits of time against us: nothing runs beside them.
          maxWorkers: 1,
          retry: RETRY,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
