import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { LEASE_MS, type Machines, startMachines } from '../support/machines.ts';
import { canHaveHosts } from '../support/network-hosts.ts';
import { hasProgram, requireOr } from '../support/require.ts';
import { until } from '../support/until.ts';

const run = requireOr('network namespaces (root and iproute2) and openssl', canHaveHosts() && hasProgram('openssl'));

let at: Machines;
beforeEach(async () => {
  at = await startMachines(['w1', 'w2', 'w3']);
});
afterEach(() => at.close());

/**
 * Says where it starts, then ticks until the file `go` is there, and says that it ends. Each attempt of a task holds the same lock while any process of
 * it lives: who finds it taken runs beside another one. What it prints stands on the shared disk a moment later.
 */
const TASK = `
exec 8>lock.$TASK_ARRAY_INDEX
flock -n 8 || echo "$TASK_ARRAY_INDEX" >>overlaps
note() { flock 9 sh -c 'echo "$0" >>notes' "$1 $TASK_ARRAY_INDEX $(uname -n) $SPAWN_ATTEMPT" 9>notes.lock; }
note start
tick=0
until [ -e go ]; do
  tick=$((tick + 1))
  echo "tick $tick"
  echo $tick >>ticks.$TASK_ARRAY_INDEX.$SPAWN_ATTEMPT
  sleep 0.1
done
note end
`;

interface Note {
  readonly what: string;
  readonly index: number;
  readonly host: string;
  readonly attempt: number;
}

function notes(what: string): Note[] {
  return at
    .lines('notes')
    .map((line) => line.split(' '))
    .map(([what, index, host, attempt]) => ({ what: what!, index: +index!, host: host!, attempt: +attempt! }))
    .filter((note) => note.what === what);
}

/** Two tasks on each of w1 and w2; w3 has room for two more. */
async function fourTasks(): Promise<number[]> {
  await Promise.all(['w1', 'w2'].map((host) => at.join(host, ['--slots', '2'])));
  await at.ok(['submit', '--array', '4', '--name', 'four', '--command', TASK], { cwd: at.shared });
  await until('the start of all', () => notes('start').length === 4);
  await at.join('w3', ['--slots', '2']);
  const ofFirst = notes('start').filter(({ host }) => host === 'w1');
  expect(ofFirst.length).toBe(2);
  return ofFirst.map(({ index }) => index).toSorted();
}

async function finish(): Promise<void> {
  writeFileSync(join(at.shared, 'go'), '');
  await at.ok(['wait', '1']);
  expect(at.lines('overlaps')).toEqual([]);
  expect(new Set(notes('end').map(({ index }) => index))).toEqual(new Set([0, 1, 2, 3]));
}

/** They are w3's now, in their second attempt, and w1 runs none of them any more. */
async function movedTo3(indices: readonly number[]): Promise<void> {
  const moved = () => notes('start').filter(({ host }) => host === 'w3');
  await until('them to run elsewhere', () => moved().length === indices.length, 4 * LEASE_MS);
  expect(
    moved()
      .map(({ index }) => index)
      .toSorted(),
  ).toEqual(indices);
  expect(moved().map(({ attempt }) => attempt)).toEqual([2, 2]);
  expect(at.lines('overlaps')).toEqual([]);
}

async function runningLog(index: number): Promise<string> {
  return (await at.ok(['logs', `1_${index}`])).out;
}

function lastTick(index: number): number {
  return Number(at.lines(`ticks.${index}.1`).at(-1) ?? 0);
}

run(
  'a cable that is cut for longer than the lease: tasks run elsewhere, never twice at once, and no log is lost',
  async () => {
    const indices = await fourTasks();
    at.hosts.cut('w1');
    const before = indices.map(lastTick);
    await movedTo3(indices);
    // It went on for a while, and stopped them by itself.
    for (const [n, index] of indices.entries()) expect(lastTick(index)).toBeGreaterThan(before[n]!);
    const ticks = indices.map(lastTick);
    await finish();
    expect(indices.map(lastTick)).toEqual(ticks);

    at.hosts.mend('w1');
    await until('w1 to join again', async () => (await at.connected()).includes('w1'));
    for (const [n, index] of indices.entries()) {
      const log = async () => (await at.ok(['logs', `1_${index}`, '--attempt', '1'])).out;
      await until('the log of what was lost', async () => (await log()).includes(`tick ${ticks[n]}\n`));
    }
  },
);

run('a short cut: nothing is lost, nothing runs again', async () => {
  await fourTasks();
  at.hosts.cut('w1');
  writeFileSync(join(at.shared, 'go'), '');
  await until('the end of all', () => notes('end').length === 4);
  // The two of w1 cannot be known yet.
  const counts = async () => (await at.client.job('1')).counts;
  await until('the other two', async () => (await counts()).completed === 2);
  expect(await counts()).toMatchObject({ running: 2, completed: 2 });
  at.hosts.mend('w1');
  await finish();
  expect([notes('start').length, notes('end').length]).toEqual([4, 4]);
});

for (const lost of ['from', 'to'] as const) {
  run(`half a cable: what comes ${lost} the worker is lost, and both sides find out`, async () => {
    const indices = await fourTasks();
    at.hosts.halve('w1', lost);
    await movedTo3(indices);
    await finish();
    expect(await at.connected()).not.toContain('w1');
  });
}

run('a machine that loses its power: its tasks run elsewhere when the lease is over', async () => {
  const indices = await fourTasks();
  const log = async () => (await at.ok(['logs', `1_${indices[0]}`, '--attempt', '1'])).out;
  await until('the first words of a task', async () => (await runningLog(indices[0]!)).includes('tick 1\n'));
  at.hosts.kill('w1');
  await movedTo3(indices);
  await finish();
  expect(await log()).toContain('tick 1\n');
});
