import { expect, test } from 'vitest';
import type { Refusal } from '../../src/domain/reasons.ts';
import { expectProblem, reception, request, world } from './http-world.ts';

const report = {
  period: { timeZone: 'Europe/London', days: ['2031-05-05', '2031-05-06'] },
  desks: 3,
  recordedFrom: undefined,
  hours: [
    { average: 1.23456, peak: 2 },
    { average: undefined, peak: 0 },
  ],
  days: [
    { logIns: 4, peak: 2 },
    { logIns: 0, peak: 0 },
  ],
  sites: [{ site: 'london', desks: 3, average: undefined, peak: 2, logIns: 4 }],
  busiest: [
    { host: reception.id, ms: 5_400_000, logIns: 1 },
    { host: 'gone', ms: 60_000, logIns: 0 },
  ],
  logIns: 4,
  average: 0.5,
  peak: 2,
  stays: { count: 4, average: 90_000, median: undefined },
};

test('usage, rounded and with names', async () => {
  world.answer = report;
  const { json } = await request('GET', '/api/v1/usage?from=2031-05-05&to=2031-05-06&site=london');
  expect(json).toEqual({
    ...{ from: '2031-05-05', to: '2031-05-06', timeZone: 'Europe/London', recordedFrom: null },
    ...{ desks: 3, average: 0.5, peak: 2, logIns: 4 },
    stays: { count: 4, averageMinutes: 1.5, medianMinutes: null },
    hours: [
      { hour: 0, average: 1.23, peak: 2 },
      { hour: 1, average: null, peak: 0 },
    ],
    days: [
      { date: '2031-05-05', logIns: 4, peak: 2 },
      { date: '2031-05-06', logIns: 0, peak: 0 },
    ],
    sites: [{ site: 'london', desks: 3, average: null, peak: 2, logIns: 4 }],
    busiest: [
      { host: { id: reception.id, nickname: 'Reception desk' }, hours: 1.5, logIns: 1 },
      { host: { id: 'gone', nickname: null }, hours: 0.02, logIns: 0 },
    ],
  });
  expect(world.calls).toEqual([
    ['usage', { from: '2031-05-05', to: '2031-05-06', site: 'london', sites: 'all' }],
  ]);
});

test.each([
  ['from=2031-05-05', 'a day is missing'],
  ['from=2031-05-05&to=2031-05-04', 'nothing'],
  ['from=2031-05-05&to=2031-08-05', '93 days'],
  ['from=2031-02-30&to=2031-03-01', 'no day'],
  ['from=2031-05-05T00:00Z&to=2031-05-06', 'a time'],
  ['from=2031-05-05&to=2031-05-06&zone=UTC', 'something else'],
])('refuses %s: %s', async (query) => {
  expectProblem(await request('GET', `/api/v1/usage?${query}`), 400);
  expect(world.calls).toEqual([]);
});

test('92 days are fine; a no is told', async () => {
  world.answer = { refused: 'overloaded' } satisfies Refusal;
  expectProblem(await request('GET', '/api/v1/usage?from=2031-05-05&to=2031-08-04'), 503);
});
