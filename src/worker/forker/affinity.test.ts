import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ForkerUnderTest } from '../../../test/support/forker-under-test.ts';

const SHOW = 'sed -n "s/^Cpus_allowed_list:[[:space:]]*//p" /proc/self/status';

/** Runs it until the gate opens; says where it may run first. */
const held = (gate: string) => `${SHOW}; until [ -e ${gate} ]; do sleep 0.02; done`;

test('two tasks of one CPU each get different ones, and a fraction shares the lesser loaded', async () => {
  await using forker = await ForkerUnderTest.start('native');
  expect(forker.forker.capabilities.affinity).toBe(true);
  const gate = join(forker.logDir, 'gate');
  const cpus = availableParallelism();
  const all = (await forker.complete(SHOW)).log.stdout.toString();
  const first = Array.from({ length: cpus }, () => forker.run({ script: held(gate), cpuMilli: 1000 }));
  for (const fence of first) await forker.started(fence);
  await forker.complete(`touch ${gate}`);
  const places = await Promise.all(first.map(async (fence) => forker.log(await forker.ended(fence)).stdout.toString()));
  expect(new Set(places).size).toBe(cpus);
  expect(places.every((place) => /^\d+\n$/.test(place))).toBe(true);
  expect((await forker.complete('nproc', { cpuMilli: 250 })).log.stdout.toString()).toBe('1\n');
  expect((await forker.complete(SHOW, { cpuMilli: 0 })).log.stdout.toString()).toBe(all);
});

test('fractions fill one CPU before another task shares it, and what ends gives its CPU back', async () => {
  await using forker = await ForkerUnderTest.start('native');
  const [full, half] = [join(forker.logDir, 'full'), join(forker.logDir, 'half')];
  const place = async (fence: number) => forker.log(await forker.ended(fence)).stdout.toString();
  const long = Array.from({ length: availableParallelism() - 1 }, () =>
    forker.run({ script: held(full), cpuMilli: 1000 }),
  );
  const halves = [500, 400].map((cpuMilli) => forker.run({ script: held(half), cpuMilli }));
  for (const fence of [...long, ...halves]) await forker.started(fence);
  await forker.complete(`touch ${half}`);
  const shared = await Promise.all(halves.map(place));
  expect(shared[0]).toBe(shared[1]);
  // That CPU is free again, the ones of the long tasks are not.
  expect(await place(forker.run({ script: SHOW, cpuMilli: 1000 }))).toBe(shared[0]);
  await forker.complete(`touch ${full}`);
  expect(await Promise.all(long.map(place))).not.toContain(shared[0]);
});

test('more than one CPU is as many whole ones, and never more than there are', async () => {
  await using forker = await ForkerUnderTest.start('native');
  const count = async (cpuMilli: number) =>
    Number((await forker.complete('nproc', { cpuMilli })).log.stdout.toString());
  expect(await count(1001)).toBe(Math.min(2, availableParallelism()));
  expect(await count(1_000_000)).toBe(availableParallelism());
});

test('the Node forker says that it does not bind, and runs the task', async () => {
  await using forker = await ForkerUnderTest.start('node');
  expect(forker.forker.capabilities.affinity).toBe(false);
  const { log } = await forker.complete(SHOW, { cpuMilli: 1000 });
  expect(log.stdout.toString()).toBe((await forker.complete(SHOW)).log.stdout.toString());
});
