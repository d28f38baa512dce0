import type { CostLine, CostQuery, CostReply } from '../../api/instance-money.ts';
import { SpawnError } from '../../core/errors.ts';
import { isCharged } from '../../core/instance.ts';
import { costOf, type Forecast, forecastCost } from '../../core/instance-cost.ts';
import { PRICES_OF } from '../../core/instance-prices.ts';
import { TASK_STATES } from '../../core/task-state.ts';
import type { Ledger } from '../ledger.ts';
import { resolveRef } from '../refs.ts';
import type { World } from '../world.ts';
import { ranMsOf, ttlLeftOf } from './accounts.ts';
import type { InstanceArray } from './instance-array.ts';
import { type InstanceRow, isOver } from './row.ts';
import { findRows, wordsOf } from './targets.ts';

/** What the instances that fit cost, by array and by member. Those that are not listed any more are left out. */
export async function readCost(ledger: Ledger, query: CostQuery): Promise<CostReply> {
  const { job, ...filters } = query;
  const { memory, ports } = ledger;
  const resolved = job === undefined ? undefined : await resolveRef(memory, ports.store, job, 'look');
  return await ledger.read(({ instances }) => {
    const found = new Map<InstanceArray, InstanceRow[]>();
    for (const [array, row] of findRows(instances, filters)) {
      if (resolved !== undefined && array.id !== resolved.id) continue;
      if ((resolved?.indices?.positionOf(row.index) ?? 0) < 0) continue;
      const rows = found.get(array);
      if (rows === undefined) found.set(array, [row]);
      else rows.push(row);
    }
    // A job that had no machine has cost nothing.
    if (found.size === 0 && resolved === undefined && Object.keys(filters).length > 0)
      throw new SpawnError('INSTANCE_NOT_FOUND', { ref: wordsOf(filters) });
    const arrays = [...found].map(([array, rows]) => costOfArray(ledger.world, array, rows));
    return { total: sumOf(arrays), arrays, pricesOf: PRICES_OF };
  });
}

function costOfArray(world: World, array: InstanceArray, rows: readonly InstanceRow[]): CostReply['arrays'][number] {
  const members = rows.map((row) => ({
    ...lineOf(world, array, row),
    id: row.id,
    name: row.name,
    index: row.index,
    generation: row.generation,
    state: row.state,
  }));
  const forecast = forecastCost(rows.map((row) => forecastOf(world, array, row)));
  const { costLimit } = array.part;
  return {
    ...sumOf(members),
    jobId: array.id,
    arrayId: array.fixed.arrayId,
    name: array.fixed.name,
    standalone: array.part.standalone,
    instances: rows.length,
    running: rows.filter(({ state }) => state === 'running').length,
    rate: rows.reduce((sum, { state, rate }) => sum + (isCharged(state) ? rate : 0), 0),
    ...(costLimit === undefined ? {} : { costLimit }),
    ...(forecast === undefined ? {} : { forecast: costLimit === undefined ? forecast : Math.min(forecast, costLimit) }),
    members,
  };
}

function forecastOf(world: World, array: InstanceArray, row: InstanceRow): Forecast {
  const rests = row.state === 'stopped' || row.state === 'hibernated';
  return {
    ranMs: ranMsOf(world, row),
    rate: row.rate,
    live: !isOver(row) && !rests,
    ttlLeftMs: ttlLeftOf(world, row, array.part.ttlMode),
  };
}

function lineOf(world: World, array: InstanceArray, row: InstanceRow): CostLine {
  const ranMs = ranMsOf(world, row);
  const cost = costOf(ranMs, row.rate);
  return {
    ranMs,
    onDemand: costOf(ranMs, row.onDemandRate),
    spot: costOf(ranMs, row.spotRate),
    cost,
    failed: isOver(row) && hasFailed(world, array, row) ? cost : 0,
  };
}

/** It ended without the success of its task; what another machine did for the task later is that one's. */
function hasFailed(world: World, array: InstanceArray, row: InstanceRow): boolean {
  if (row.reason === 'lost' || row.reason === 'interrupted' || row.reason === 'launch-failed') return true;
  const table = world.memory.jobs.get(row.jobId)?.job.table;
  return (
    (table === undefined || array.newest(row.position) !== row ? row.task : TASK_STATES[table.state[row.position]!]) !==
    'completed'
  );
}

function sumOf(lines: readonly CostLine[]): CostLine {
  const sum = { ranMs: 0, onDemand: 0, spot: 0, cost: 0, failed: 0 };
  for (const line of lines) {
    for (const key of ['ranMs', 'onDemand', 'spot', 'cost', 'failed'] as const) sum[key] += line[key];
  }
  return sum;
}
