import { afterEach, beforeEach, describe } from 'vitest';
import { describeAlerts } from './store-alerts.ts';
import { describeCommits } from './store-commits.ts';
import { describeDeletes } from './store-deletes.ts';
import { describeInstances } from './store-instances.ts';
import { describeJobs, describeOpening } from './store-jobs.ts';
import { describeJobParts, describeOthers } from './store-parts.ts';
import type { StoreUnderTest, StoreWorld } from './store-world.ts';

/** What every store must do. */
export function describeStore(name: string, make: () => Promise<StoreUnderTest>): void {
  describe(name, () => {
    const world = {} as StoreWorld;
    beforeEach(async () => {
      world.memory = await make();
      world.store = await world.memory.open();
    });
    afterEach(async () => {
      await world.store.close();
      await world.memory.dispose();
    });
    describeOpening(world);
    describeJobs(world);
    describeJobParts(world);
    describeOthers(world);
    describeInstances(world);
    describeAlerts(world);
    describeDeletes(world);
    describeCommits(world);
  });
}
