import { expect } from 'vitest';
import { WHOLE_DEVICE } from '../../src/core/gpu-shares.ts';
import type { WorkerSession } from '../../src/core/worker-session.ts';

/** What is free of a session is what its slots leave of its offer, for every resource; and no device is over-shared. */
export function expectRoom({ room, shares, places, id }: WorkerSession): void {
  const { offer } = room;
  let { cpus, memoryBytes, slots = Number.POSITIVE_INFINITY } = offer;
  let gpuShares = 0;
  const named = new Map(Object.entries(offer.named ?? {}));
  for (const [lane, share] of shares) {
    if (share.lane !== lane || share.slots > share.open) expect.fail(`session ${id}: share of lane ${lane.number}`);
    // What is placed as a whole has a place besides.
    if (lane.shape !== undefined) continue;
    cpus -= share.slots * lane.needs.cpus;
    memoryBytes -= share.slots * lane.needs.memoryBytes;
    slots -= share.slots;
    gpuShares += share.open * lane.needs.gpuShares;
    for (const [name, amount] of Object.entries(lane.terms.resources)) {
      named.set(name, (named.get(name) ?? 0) - share.slots * amount);
    }
  }
  for (const { needs } of places.values()) {
    cpus -= needs.cpus;
    memoryBytes -= needs.memoryBytes;
    slots--;
    gpuShares += needs.gpuShares;
    for (const [name, parts] of needs.named) named.set(name, (named.get(name) ?? 0) - parts / WHOLE_DEVICE);
  }
  expect(room.cpus).toBeCloseTo(cpus, 6);
  expect(room.cpus).toBeGreaterThan(-1e-6);
  expect([room.memoryBytes, room.slots]).toEqual([memoryBytes, slots]);
  expect(Math.min(memoryBytes, slots)).toBeGreaterThanOrEqual(0);
  for (const [name, amount] of named) {
    if (amount < -1e-9) expect.fail(`session ${id}: ${amount} ${name} is left`);
    expect(room.named[name] ?? 0).toBeCloseTo(amount, 4);
  }
  const used = [...room.gpus.used];
  expect(used.reduce((sum, each) => sum + each, 0)).toBe(gpuShares);
  if (used.some((each) => each < 0 || each > WHOLE_DEVICE)) expect.fail(`session ${id}: devices ${used}`);
}
