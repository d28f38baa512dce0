import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { makeSandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

/** How many processes are killed; 500 on demand. */
const KILLS = Number(process.env.SPAWN_SOAK_KILLS ?? 100);
const SEED = Number(process.env.SPAWN_SOAK_SEED ?? Date.now() % 100_000);
const KINDS = ['server', 'worker', 'forker', 'task', 'keeper'] as const;
type Kind = (typeof KINDS)[number];

/**
 * A task notes its start and its end, and whether the attempt before it still lives, which must never be. What it sleeps keeps the
 * machine from being done before the kills are.
 */
const SCRIPT = `#!/bin/sh
i=$TASK_ARRAY_INDEX
before=/proc/$(cat pid.$i 2>/dev/null)/status
# A zombie runs nothing any more; whoever inherited it has only not looked yet.
if [ -f "$before" ] && ! grep -q '^State:.*Z' "$before" 2>/dev/null; then echo "overlap $i $SPAWN_ATTEMPT" >>notes; fi
echo $$ >pid.$i
echo "start $i $SPAWN_ATTEMPT" >>notes
sleep 0.1
echo "end $i $SPAWN_ATTEMPT" >>notes
`;

const box = makeSandbox();
afterAll(() => box.close());

/** Small seeded chance: a failing soak names its seed. */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function notes(): string[] {
  try {
    return readFileSync(join(box.folder, 'notes'), 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}

function victims(kind: Kind): number[] {
  // A forker names no folder: it is known by its parent.
  if (kind === 'forker') return victims('worker').flatMap(childrenOf);
  return box.processes().filter((pid) => kindOf(pid) === kind);
}

function childrenOf(pid: number): number[] {
  return read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
}

function kindOf(pid: number): Kind | undefined {
  const command = read(`/proc/${pid}/cmdline`);
  if (/^SPAWN_TASK_ID=|\0SPAWN_TASK_ID=/.test(read(`/proc/${pid}/environ`))) return 'task';
  if (command.includes('dist/bin/server.js')) return 'server';
  if (command.includes('dist/bin/spored.js')) return 'worker';
  return command.includes('dist/bin/keeper.js') ? 'keeper' : undefined;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

it(`loses nothing and accepts nothing twice through ${KILLS} kills`, { timeout: 60_000 + KILLS * 6_000 }, async () => {
  const pick = chance(SEED);
  writeFileSync(join(box.folder, 'task.sh'), SCRIPT, { mode: 0o755 });
  const size = KILLS * 12;
  // Chance may kill the worker of one task five times in turn.
  const common = ['--array', String(size), '--retries', '1000', '--crash-limit', '1000', '--quiet'];
  const waiting = box.start(['submit', ...common, '--wait', '--name', 'soak', './task.sh']);
  await until('the first tasks to run', () => notes().length > 5, 30_000);
  const then = await box.spawn(['submit', '--quiet', '--after', 'afterok:1', '--', 'sh', '-c', 'echo after >>notes']);
  expect(then.code, then.err).toBe(0);

  const killed: Record<Kind, number> = { server: 0, worker: 0, forker: 0, task: 0, keeper: 0 };
  for (let kill = 0; kill < KILLS; kill++) {
    const kind = KINDS[pick(KINDS.length)]!;
    await until(`a ${kind} to kill (seed ${SEED})`, () => victims(kind).length > 0, 30_000);
    const live = victims(kind);
    const pid = live[pick(live.length)]!;
    try {
      process.kill(pid, 'SIGKILL');
      killed[kind]++;
    } catch {
      // A task may end between the look and the kill.
    }
    const seen = notes().length;
    const wanted = seen + 1 + pick(6);
    await until(`work to go on after the kill of a ${kind} (seed ${SEED})`, () => notes().length >= wanted, 60_000);
  }
  expect(Object.values(killed).every((count) => count > 0 || KILLS < 50)).toBe(true);

  const ended = await waiting.ended;
  expect(ended.code, `seed ${SEED}: ${ended.err}`).toBe(0);
  await until('the dependent job to run', () => notes().includes('after'), 30_000);
  const all = notes();
  expect(all.filter((line) => line.startsWith('overlap'))).toEqual([]);
  expect(all.filter((line) => line === 'after')).toEqual(['after']);
  const starts = all.filter((line) => line.startsWith('start '));
  expect(new Set(starts).size, 'an attempt started twice').toBe(starts.length);
  const endedOnce = new Set(all.filter((line) => line.startsWith('end ')).map((line) => line.split(' ')[1]));
  expect(endedOnce.size).toBe(size);

  const listed = await box.spawn(['tasks', '1', '-o', 'json']);
  const tasks = JSON.parse(listed.out) as { index: number; state: string; attempt: number; exit_code: number }[];
  expect(tasks.length).toBe(size);
  expect(tasks.every(({ state, exit_code }) => state === 'completed' && exit_code === 0)).toBe(true);
  for (const { index, attempt } of tasks) {
    if (!all.includes(`end ${index} ${attempt}`))
      expect.fail(`attempt ${attempt} of ${index} was accepted but never ended`);
  }
  expect(readdirSync(box.folder).filter((name) => name.startsWith('pid.')).length).toBe(size);
});
