import { parseArgs } from 'node:util';
import {
  type FailoverOutcome,
  type FailoverTarget,
  type Fault,
  failOver,
  missingAfterAll,
} from '../support/failover.ts';
import { startCluster } from '../support/redis-cluster.ts';
import { startSentinels } from '../support/redis-sentinel.ts';

/**
 * `node --import tsx test/chaos/failover.ts [trials]`: so many fail-overs by crash, by partition and by split, on
 * Sentinel and (`--cluster`) by crash and partition on a cluster with two replicas per master, while people log in.
 * Ends with 1 when an acknowledged login was lost, a refused one stayed, or logins stood still for too long.
 */

const LONGEST_OUTAGE_MS = 5000;

interface Target extends FailoverTarget {
  readonly faults: readonly Fault[];
  stop(): Promise<void>;
}

async function sentinelTarget(): Promise<Target> {
  const { name, addresses, master, settled, stop } = await startSentinels();
  const faults = ['crash', 'partition', 'split'] as const;
  return { place: { sentinel: { name, addresses } }, company: 'acme', master, settled, stop, faults };
}

async function clusterTarget(): Promise<Target> {
  const { addresses, ownerOf, settled, stop } = await startCluster({ replicas: 2 });
  const master = () => ownerOf('hd:{acme}:b');
  return {
    place: { cluster: { addresses } },
    company: 'acme',
    master,
    settled,
    stop,
    faults: ['crash', 'partition'],
  };
}

function isGood(outcome: FailoverOutcome): boolean {
  const { lost, ghosts, forgotten, viewIsRight, outageMs } = outcome;
  return lost.length + ghosts.length + forgotten.length === 0 && viewIsRight && outageMs < LONGEST_OUTAGE_MS;
}

function line(kind: string, outcome: FailoverOutcome): string {
  const { fault, acknowledged, refused, lost, ghosts, forgotten, outageMs, viewMs, viewIsRight } = outcome;
  return [
    ...[isGood(outcome) ? 'ok    ' : 'FAILED', kind.padEnd(8), fault.padEnd(9)],
    ...[`acknowledged ${acknowledged.size}`, `lost ${lost.length}`, `refused ${refused}`],
    ...[`still there although refused ${ghosts.length}`, `login outage ${Math.round(outageMs)} ms`],
    `view: new state after ${Math.round(viewMs)} ms, forgotten ${forgotten.length}, ${viewIsRight ? 'right' : 'WRONG'}`,
  ].join('  ');
}

async function trials(kind: string, count: number): Promise<FailoverOutcome[]> {
  const target = await (kind === 'cluster' ? clusterTarget() : sentinelTarget());
  const outcomes: FailoverOutcome[] = [];
  try {
    for (let i = 0; i < count; i++) {
      for (const fault of target.faults) {
        const outcome = await failOver(target, fault);
        console.log(line(kind, outcome));
        outcomes.push(outcome);
      }
    }
    const acknowledged = new Map(outcomes.flatMap((outcome) => [...outcome.acknowledged]));
    const missing = await missingAfterAll(target, acknowledged);
    if (missing.length > 0) throw new Error(`${missing.length} logins were lost by a later fail-over`);
    if (kind === 'sentinel') await control(target);
  } finally {
    await target.stop();
  }
  return outcomes;
}

/** Without replicas that confirm, a split must lose logins: otherwise the trials above prove nothing. */
async function control(target: Target): Promise<void> {
  const outcome = await failOver({ ...target, company: 'careless', waitForReplicas: 0 }, 'split');
  const { lost, acknowledged } = outcome;
  console.log(`control, without WAIT: split  acknowledged ${acknowledged.size}  lost ${lost.length}`);
  if (lost.length === 0) throw new Error('the control lost nothing: the trials prove nothing');
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { cluster: { type: 'boolean', default: false } },
});
const count = Number(positionals[0] ?? 10);
const outcomes = await trials('sentinel', count);
if (values.cluster) outcomes.push(...(await trials('cluster', count)));
const sum = (of: (outcome: FailoverOutcome) => number) => outcomes.reduce((all, each) => all + of(each), 0);
const worst = Math.round(Math.max(...outcomes.map(({ outageMs }) => outageMs)));
const bad = outcomes.filter((outcome) => !isGood(outcome)).length;
console.log(
  `${outcomes.length} fail-overs: ${sum((each) => each.acknowledged.size)} logins acknowledged, ${sum((each) => each.lost.length)} lost, ` +
    `longest login outage ${worst} ms, ${bad} failed`,
);
process.exit(bad === 0 ? 0 : 1);
