import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runLanes } from './lanes.ts';
import { wanted } from './normalise.ts';
import { readTopic } from './read-scenarios.ts';
import { lackOfSlurm, needsAccounting, startReal } from './real-side.ts';
import type { Transcript } from './scenario.ts';
import { makeFolder, type Side } from './side.ts';
import { startSpawn } from './spawn-side.ts';

/** Scenarios at once. Real Slurm mostly waits for its own intervals; each of our commands is a process of some weight. */
const WIDTH = { real: 4, spawn: 2 };

/** Tests: each scenario of these topics is answered by real Slurm and by spawn, in the same words but for the differences that it names. */
export function compareSides(topics: readonly string[]): void {
  const lack = lackOfSlurm();
  if (lack !== undefined && process.env.SPAWN_CI === '1') throw new Error(`CI must have what its tests need: ${lack}`);
  const scenarios = topics.flatMap((topic) => readTopic(topic).map((scenario) => ({ topic, scenario })));
  const sides: Promise<Side>[] = [];
  const none: ReadonlyMap<string, Promise<Transcript>> = new Map();
  const found = { real: none, spawn: none };
  let folder = '';
  describe.skipIf(lack !== undefined)(`Slurm and spawn${lack === undefined ? '' : ` (needs ${lack})`}`, () => {
    beforeAll(async () => {
      folder = makeFolder();
      sides.push(
        startReal(join(folder, 'r'), { accounting: topics.some(needsAccounting) }),
        startSpawn(join(folder, 's')),
      );
      const [real, spawn] = await Promise.all(sides);
      const all = scenarios.map(({ scenario }) => scenario);
      found.real = runLanes(real!, all, WIDTH.real);
      found.spawn = runLanes(spawn!, all, WIDTH.spawn);
      // A test looks at each; until then nobody does.
      for (const transcript of [...found.real.values(), ...found.spawn.values()]) transcript.catch(() => undefined);
    });
    afterAll(async () => {
      await Promise.allSettled([...found.real.values(), ...found.spawn.values()]);
      const started = await Promise.allSettled(sides);
      const ends = started.flatMap((side) => (side.status === 'fulfilled' ? [side.value.close()] : []));
      const closed = await Promise.allSettled(ends);
      rmSync(folder, { recursive: true, force: true });
      expect(closed.filter(({ status }) => status === 'rejected')).toEqual([]);
    }, 120_000);
    describe.each(topics)('%s', (topic) => {
      const mine = scenarios.filter((entry) => entry.topic === topic).map(({ scenario }) => scenario);
      test.each(mine.map((scenario) => [scenario.id, scenario.title, scenario] as const))(
        '%s: %s',
        async (id, _title, scenario) => {
          const [real, spawn] = await Promise.all([found.real.get(id)!, found.spawn.get(id)!]);
          expect(spawn).toBe(wanted(real, scenario));
        },
        300_000,
      );
    });
  });
}
