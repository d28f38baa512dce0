import { isCharged, ttlRuns } from '../../core/instance.ts';
import { costOf, lastsMs } from '../../core/instance-cost.ts';
import type { World } from '../world.ts';
import type { InstanceRow } from './row.ts';

/** Ms since something was known: on the clock that nobody sets where that was in this life, else by the calendar. */
function elapsed(world: World, lease: number | undefined, at: number): number {
  return Math.max(0, lease === undefined ? world.now - at : world.clock.lease() - lease);
}

/** All time in which it was charged until now. */
export function ranMsOf(world: World, row: InstanceRow): number {
  return row.ranMs + (isCharged(row.state) ? elapsed(world, row.live.ranLease, row.ranAt) : 0);
}

/** USD until now. */
export function costSoFar(world: World, row: InstanceRow): number {
  return costOf(ranMsOf(world, row), row.rate);
}

/** Until its TTL ends, ms, may be negative; undefined: no TTL. */
export function ttlLeftOf(world: World, row: InstanceRow, mode: 'running' | 'wall'): number | undefined {
  if (row.ttlMs === 0) return undefined;
  return row.ttlLeftMs - (ttlRuns(row.state, mode) ? elapsed(world, row.live.ttlLease, row.ttlAt) : 0);
}

/**
 * Nobody saw when it ended: not after its deadline, and not after its share was used up, since it knew both. What it ran is no more than that.
 */
export function foldUnseen(world: World, row: InstanceRow, mode: 'running' | 'wall'): void {
  const left = row.ttlMs === 0 ? Number.POSITIVE_INFINITY : row.ranMs + Math.max(0, row.ttlLeftMs);
  const paid = row.costShare === undefined ? left : lastsMs(Math.max(row.costShare, row.heldShare ?? 0), row.rate);
  const most = Math.max(row.ranMs, Math.min(left, paid));
  // Its machine was launched and its agent never heard: it may have spent its share, and nobody else may spend that again.
  if (row.state === 'pending' && row.costShare !== undefined && row.live.launch !== 'waiting')
    setRan(world, row, row.ranMs + elapsed(world, row.live.ranLease, row.ranAt));
  fold(world, row, mode);
  if (row.ranMs > most) setRan(world, row, most);
}

/** What is known of its time until now becomes what is stored: before its state changes. */
export function fold(world: World, row: InstanceRow, mode: 'running' | 'wall'): void {
  setRan(world, row, ranMsOf(world, row));
  if (row.ttlMs > 0) setTtlLeft(world, row, ttlLeftOf(world, row, mode)!);
}

export function setRan(world: World, row: InstanceRow, ranMs: number): void {
  row.ranMs = ranMs;
  row.ranAt = world.now;
  row.live.ranLease = world.clock.lease();
}

export function setTtlLeft(world: World, row: InstanceRow, leftMs: number): void {
  row.ttlLeftMs = leftMs;
  row.ttlAt = world.now;
  row.live.ttlLease = world.clock.lease();
}
