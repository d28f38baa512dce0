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
  if (!isCharged(row.state)) return row.ranMs;
  return Math.min(row.ranMs + elapsed(world, row.live.ranLease, row.ranAt), mostRanMs(world, row));
}

/** While nobody sees it: it knows its deadline and its share, and ends itself at these. */
function mostRanMs({ memory }: World, row: InstanceRow): number {
  if (memory.bound.get(row.id)?.session.connected === true) return Number.POSITIVE_INFINITY;
  const left = row.ttlMs === 0 ? Number.POSITIVE_INFINITY : row.ranMs + Math.max(0, row.ttlLeftMs);
  const { heldShare, unbounded } = row;
  const paid = heldShare === undefined || unbounded === true ? left : lastsMs(heldShare, row.rate);
  return Math.max(row.ranMs, Math.min(left, paid));
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

/** Its machine was launched, and its agent never heard: it may have spent its share, and nobody else may spend that again. */
export function foldUnheard(world: World, row: InstanceRow): void {
  if (row.state !== 'pending' || row.costShare === undefined || row.live.launch === 'waiting') return;
  const ran = row.ranMs + elapsed(world, row.live.ranLease, row.ranAt);
  setRan(world, row, Math.min(ran, mostRanMs(world, row)));
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
