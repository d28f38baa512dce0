import type { InstanceReport } from '../../api/instance-session.ts';
import { eventOfReport } from '../../core/instance.ts';
import type { World } from '../world.ts';
import { setRan, setTtlLeft } from './accounts.ts';
import { changed, happened, setReason, tell } from './change.ts';
import { type InstanceRow, isOver } from './row.ts';

/** Takes in how an agent says its instance is. What is older than what was decided since changes nothing. */
export function takeReport(world: World, instanceId: string, report: InstanceReport): void {
  const book = world.memory.instances;
  const row = book.rows.get(instanceId);
  if (row === undefined || isOver(row)) return;
  acknowledge(world, row, report);
  takeAccounts(world, row, report);
  takeWarnings(world, row, report);
  if (report.completion !== undefined && row.completion === undefined) {
    row.completion = report.completion.status;
    if (report.completion.message !== undefined) row.message = report.completion.message;
    tell(world, row, 'instanceCompleted', { status: row.completion });
    changed(world, row);
  }
  takeState(world, row, report);
}

function acknowledge(world: World, row: InstanceRow, { version, state }: InstanceReport): void {
  const { live } = row;
  if (version <= live.acked) return;
  live.acked = version;
  const { saidShare } = live;
  const isBound = row.unbounded === true && saidShare !== undefined;
  // How long its end takes was laid down with the share that it had when that began.
  const isEnding = state !== 'running' && state !== 'hibernated';
  if (version >= live.askedVersion && !isEnding && (row.heldShare !== saidShare || isBound)) {
    if (saidShare === undefined) delete row.heldShare;
    else row.heldShare = saidShare;
    if (isBound) delete row.unbounded;
    world.memory.instances.arrays.get(row.jobId)!.sharesStale = true;
    changed(world, row);
  }
  for (const wake of world.memory.instances.waiting) wake();
}

function takeAccounts(world: World, row: InstanceRow, report: InstanceReport): void {
  // It never ran less than it had: an agent that lost its memory begins at 0.
  setRan(world, row, Math.max(row.ranMs, report.ranMs));
  if (report.ttlLeftMs !== undefined && row.ttlMs > 0 && report.version >= row.live.ttlVersion)
    setTtlLeft(world, row, report.ttlLeftMs);
  row.live.idleMs = report.idleMs;
  row.live.cpuPercent = report.cpuPercent;
}

function takeWarnings(world: World, row: InstanceRow, { warnings = [] }: InstanceReport): void {
  for (const { kind, text } of warnings) tell(world, row, WARNINGS[kind], { text });
}

const WARNINGS = {
  ttl: 'instanceTtlWarning',
  cost: 'instanceCostWarning',
  idle: 'instanceIdleWarning',
  interrupt: 'instanceInterruptWarning',
} as const;

/** An agent ends or rests by itself: then that is what shall be. */
function takeState(world: World, row: InstanceRow, report: InstanceReport): void {
  const event = eventOfReport(report.state);
  // What it was already is no decision: it may be on its way to something else.
  if (event === undefined || report.state === row.state) return;
  const current = report.version >= row.live.wantedVersion;
  switch (report.state) {
    case 'stopping':
    case 'stopped':
      if (row.wanted !== 'stopped' && !startedSince(row, report) && !adopt(row, 'stopped', report, current)) return;
      break;
    case 'hibernated':
      if (row.wanted !== 'hibernated' && !startedSince(row, report) && !adopt(row, 'hibernated', report, current))
        return;
      break;
    case 'shutting-down':
    case 'terminated':
      adopt(row, 'terminated', report, true);
      break;
    case 'running':
    case 'pending':
      break;
  }
  // How its pre-stop command went, for example, also when a person asked for the stop.
  if (row.wanted !== 'running' && row.message === undefined && report.message !== undefined)
    row.message = report.message;
  happened(world, row, event);
}

/** It shall run again since it began to rest: its agent has heard of that, and can turn back only when it rests. */
function startedSince(row: InstanceRow, { reason }: InstanceReport): boolean {
  return row.wanted === 'running' && (row.state === 'stopping' || reason === 'user');
}

/** False when something else was wanted after what the agent knew. */
function adopt(
  row: InstanceRow,
  wanted: InstanceRow['wanted'],
  { reason, message }: InstanceReport,
  current: boolean,
): boolean {
  if (!current && row.live.version !== 0) return row.wanted === 'terminated' || wanted === 'stopped';
  if (row.wanted === 'terminated' && wanted !== 'terminated') return true;
  const known = row.wanted === wanted;
  row.wanted = wanted;
  // An agent knows of a cost share only; whose cap it came from is ours to say.
  const said = reason === 'cost-limit' && row.shareOf === 'budget' ? 'budget' : reason;
  // That its task was cancelled is only what we made of it; the agent knows why it ended it.
  if (!known || row.reason === undefined || row.reason === 'cancelled')
    setReason(row, said ?? row.reason, message ?? row.message);
  return true;
}
