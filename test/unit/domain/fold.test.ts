import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyChange, isOverdue, stateAt } from '../../../src/domain/fold.ts';
import { FakeStore } from '../../support/fake-store.ts';
import { association, NOW } from './example.ts';

describe('applyChange', () => {
  test('an end takes away only the association it names', () => {
    const state = stateAt(4, [association('d1', '1001', { generation: 4 })]);
    const late = { kind: 'end', at: NOW, actor: 'x', reason: 'released' } as const;
    applyChange(state, { ...late, seq: 5, association: association('d1', '1001', { generation: 2 }) });
    expect(state.byHost.get('d1')?.generation).toBe(4);
    applyChange(state, { ...late, seq: 6, association: association('d1', '1001', { generation: 4 }) });
    expect(state.byHost.size + state.byGuest.size).toBe(0);
  });

  test('what is known already changes nothing, and a gap is told', () => {
    const state = stateAt(4, []);
    const event = { kind: 'directory', at: NOW, actor: 'x', entries: 'all' } as const;
    expect(applyChange(state, { ...event, seq: 4 })).toBe('old');
    expect(applyChange(state, { ...event, seq: 6 })).toBe('gap');
    expect(state.seq).toBe(4);
    expect(applyChange(state, { ...event, seq: 5 })).toBe('applied');
  });

  test('deadlines', () => {
    expect(isOverdue(association('d1', '1'), NOW)).toBe(false);
    expect(isOverdue(association('d1', '1', { expiresAt: NOW + 1 }), NOW)).toBe(false);
    expect(isOverdue(association('d1', '1', { expiresAt: NOW }), NOW)).toBe(true);
  });

  const host = fc.constantFrom('d1', 'd2', 'd3');
  const guest = fc.constantFrom('1001', '1002', '1003');
  const step = fc.oneof(
    fc.record({
      do: fc.constant('associate' as const),
      host,
      guest,
      limitMs: fc.constantFrom(5, 50, 'never' as const),
      occupied: fc.constantFrom('deny' as const, 'takeover' as const),
      secondDesk: fc.constantFrom('move' as const, 'deny' as const),
    }),
    fc.record({ do: fc.constant('end' as const), host }),
    fc.record({ do: fc.constant('claim' as const) }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 30 }) }),
  );

  test('replaying the log from any position gives the state: one guest per host, one host per guest', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(40), async (steps, snapshotAt) => {
        let now = NOW;
        let op = 0;
        const store = new FakeStore(() => now);
        let replayed = stateAt(0, []);
        for (const [index, each] of steps.entries()) {
          if (index === snapshotAt) {
            const { seq, associations } = await store.snapshot();
            replayed = stateAt(seq, associations);
          }
          const common = { actor: 'x', opId: String(op++) };
          if (each.do === 'associate')
            await store.associate({ ...each, ...common, site: 's', idleLimitMs: 'never' });
          if (each.do === 'end') await store.end({ host: each.host, reason: 'released', ...common });
          if (each.do === 'claim') await store.claimDue(10);
          if (each.do === 'wait') now += each.ms;
        }
        for (const event of store.log) applyChange(replayed, event);
        const truth = await store.snapshot();
        expect(replayed.seq).toBe(truth.seq);
        expect([...replayed.byHost.values()].toSorted(byHost)).toEqual(truth.associations.toSorted(byHost));
        expect([...replayed.byGuest.values()].toSorted(byHost)).toEqual(truth.associations.toSorted(byHost));
      }),
    );
  });

  function byHost(a: { host: string }, b: { host: string }): number {
    return a.host < b.host ? -1 : 1;
  }
});
