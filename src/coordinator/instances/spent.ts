import { costOf } from '../../core/instance-cost.ts';
import type { World } from '../world.ts';
import { ranMsOf } from './accounts.ts';
import type { InstanceArray } from './instance-array.ts';
import { type InstanceRow, isOver } from './row.ts';

/** USD that the instances of some arrays have cost since a time (epoch ms; 0 = ever). Those that are listed no more count with 0 alone. */
export function spentOf(world: World, wanted: (array: InstanceArray) => boolean, from: number): number {
  let sum = 0;
  for (const array of world.memory.instances.arrays.values()) {
    if (!wanted(array)) continue;
    if (from === 0) sum += array.forgottenCost;
    for (const rows of array.members.values()) for (const row of rows) sum += costSince(world, row, from);
  }
  return sum;
}

/** It ran evenly until now, or its end, as far as is known. */
function costSince(world: World, row: InstanceRow, from: number): number {
  const ranMs = ranMsOf(world, row);
  if (row.createdAt >= from) return costOf(ranMs, row.rate);
  const until = isOver(row) ? row.endedAt : world.now;
  return costOf(Math.min(ranMs, Math.max(0, until - from)), row.rate);
}
