import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { scriptedJob } from '../../test/support/scripted-coordinator.ts';
import { until } from '../../test/support/until.ts';
import { FORKERS, workerOnScript } from '../../test/support/worker-on-script.ts';
import { SpawnError } from '../core/errors.ts';
import { encodeOutcome } from '../core/outcome.ts';

const TRAPPED = encodeOutcome({ kind: 'cancelled', exit: { kind: 'exited', code: 0 } });
const TERMINATED = encodeOutcome({ kind: 'cancelled', exit: { kind: 'signalled', signal: 15 } });
/** Runs until the file `go` is there, and notes its index. */
const WAITS = 'echo $JOB_ARRAY_INDEX >>"$OUT/ran"; until [ -e "$OUT/go" ]; do sleep 0.02; done';

function setUp(changes = {}) {
  const script = workerOnScript();
  const { coordinator, folder } = script;
  const job = (id: number, text: string, more = {}) =>
    coordinator.send({ type: 'job', job: scriptedJob(id, text, { env: { OUT: folder }, ...more }) });
  script.start(changes);
  const ran = () => script.read('ran').split('\n').filter(Boolean).map(Number);
  return { ...script, script, job, ran, go: () => writeFileSync(join(folder, 'go'), '') };
}

describe.each(FORKERS)('with the %s forker', (forker) => {
  test('thousands of tasks all end exactly once', async () => {
    const { coordinator, job } = setUp({ forker });
    const count = forker === 'native' ? 5_000 : 500;
    job(1, '', { run: { kind: 'argv', argv: ['true'] } });
    coordinator.grant(1, 0, count / 2);
    coordinator.grant(1, count / 2, count / 2);
    await until('all ends', () => coordinator.ends.length >= count, 100_000);
    expect(new Set(coordinator.ends.map(({ fence }) => fence)).size).toBe(count);
    expect(new Set(coordinator.ends.map(({ outcome }) => outcome))).toEqual(new Set([0]));
    expect(coordinator.held.size).toBe(0);
    expect(coordinator.exchanges.length).toBeLessThan(count / 2);
  }, 110_000);
});

describe('what the worker says', () => {
  test('is sent again with the same number and body until it is answered', async () => {
    const { coordinator, job, ended, ran } = setUp();
    job(1, 'echo $JOB_ARRAY_INDEX >>"$OUT/ran"');
    coordinator.loseReplies = 4;
    coordinator.grant(1, 0, 20);
    await ended(20);
    expect(ran().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    const bodies = new Map<number, Set<string>>();
    for (const exchange of coordinator.exchanges) {
      bodies.set(exchange.seq, (bodies.get(exchange.seq) ?? new Set()).add(JSON.stringify(exchange)));
    }
    expect(coordinator.exchanges.length).toBeGreaterThan(bodies.size);
    expect([...bodies.values()].every((copies) => copies.size === 1)).toBe(true);
  });

  test('waits while the store is full, and is not lost', async () => {
    const { coordinator, job, ended, lines } = setUp();
    job(1, 'true');
    coordinator.deferNext = 2;
    coordinator.grant(1, 0, 3);
    await ended(3);
    coordinator.failure = new SpawnError('STORE_FULL', {});
    coordinator.grant(1, 3, 3);
    await until('a refused exchange', () => lines.some((line) => line.includes('no space left')));
    coordinator.failure = undefined;
    await ended(6);
    expect(lines).toContain('the server answers again');
  });

  test('says that a task started when it runs on', async () => {
    const { coordinator, job, ended, go } = setUp();
    job(1, WAITS);
    const fence = coordinator.grant(1, 0, 1);
    await until('the start', () => coordinator.started.has(fence));
    go();
    await ended(1);
    expect(coordinator.exchanges.filter(({ starts }) => starts?.fences.includes(fence))).toHaveLength(1);
  });

  test('lists all it holds when it is asked to', async () => {
    const { coordinator, job, go, ended } = setUp();
    job(1, WAITS);
    const fence = coordinator.grant(1, 0, 10);
    await until('two to start', () => coordinator.started.size === 2);
    coordinator.askResync = true;
    coordinator.send({ type: 'revoke', fences: [[fence + 9, 1]] });
    const resync = await until('the list', () => coordinator.exchanges.find(({ heldRuns }) => heldRuns !== undefined));
    expect(resync.heldRuns).toEqual([[fence, 9]]);
    expect(resync.startedRuns).toEqual([[fence, 2]]);
    go();
    await ended(9);
  });
});

describe('what the worker is told', () => {
  test('twice to run a task, it runs it once', async () => {
    const { coordinator, job, ran, ended, go } = setUp();
    job(1, WAITS);
    const fence = coordinator.grant(1, 0, 4);
    await until('two to start', () => ran().length === 2);
    coordinator.grantAgain(1, fence, 0, 4);
    go();
    await ended(4);
    coordinator.grantAgain(1, fence, 0, 4);
    const last = coordinator.grant(1, 4, 1);
    await until('the last', () => coordinator.endOf(last));
    expect(ran().toSorted()).toEqual([0, 1, 2, 3, 4]);
  });

  test('to give back what has not started, it does, and what has started goes on', async () => {
    const { coordinator, job, ran, ended, go } = setUp();
    job(1, WAITS);
    const fence = coordinator.grant(1, 0, 10_000);
    await until('two to start', () => ran().length === 2);
    coordinator.send({ type: 'revoke', fences: [[fence, 10_000]] });
    await until('them back', () => coordinator.returned.length === 9_998);
    expect(coordinator.exchanges.flatMap(({ returned }) => returned ?? [])).toEqual([[fence + 2, 9_998]]);
    go();
    expect((await ended(2)).map(({ outcome }) => outcome)).toEqual([0, 0]);
  });

  test('to cancel, it gives back what has not started and ends what runs', async () => {
    const { coordinator, job, ran, ended } = setUp();
    job(1, `trap 'echo term >>"$OUT/trapped"; exit 0' TERM; ${WAITS}`);
    const fence = coordinator.grant(1, 0, 5);
    await until('two to start', () => ran().length === 2);
    coordinator.send({ type: 'cancel', fences: [[fence, 5]] });
    const ends = await ended(2);
    expect(ends.map(({ outcome }) => outcome)).toEqual([TRAPPED, TRAPPED]);
    expect(coordinator.returned).toEqual([fence + 2, fence + 3, fence + 4]);
  });

  test('to drop tasks, it ends them at once and says nothing of them', async () => {
    const { coordinator, job, ran, ended, script } = setUp();
    job(1, `trap 'echo term >>"$OUT/trapped"' TERM; ${WAITS}`);
    const fence = coordinator.grant(1, 0, 5);
    await until('two to start', () => ran().length === 2);
    coordinator.drop([[fence, 5]]);
    job(2, 'true');
    const other = coordinator.grant(2, 0, 1);
    await ended(1);
    expect(coordinator.ends.map((end) => end.fence)).toEqual([other]);
    expect(coordinator.exchanges.at(-1)?.ends?.runs).toEqual([[other, 1]]);
    expect(script.read('trapped')).toBe('');
  });

  test('to drain, it gives back the rest, finishes what runs and leaves', async () => {
    const { coordinator, job, ran, go, script } = setUp();
    job(1, WAITS);
    const fence = coordinator.grant(1, 0, 5);
    await until('two to start', () => ran().length === 2);
    coordinator.send({ type: 'drain' });
    await until('the rest back', () => coordinator.returned.length === 3);
    expect(coordinator.exchanges.at(-1)?.draining).toBe(true);
    const late = coordinator.grant(1, 5, 1);
    await until('the late one back', () => coordinator.returned.includes(late));
    go();
    expect(await script.done).toBe('left');
    expect(coordinator.ends.map((end) => end.fence).toSorted()).toEqual([fence, fence + 1]);
    expect(coordinator.byes).toEqual([coordinator.sessionId]);
  });

  test('to forget a job, it does, and learns it again', async () => {
    const { coordinator, job, ended, script } = setUp();
    job(1, 'echo $V', { env: { V: 'first' } });
    const first = coordinator.grant(1, 0, 1);
    await ended(1);
    coordinator.send({ type: 'forget', job: 1 });
    job(1, 'echo $V', { env: { V: 'second' } });
    const second = coordinator.grant(1, 1, 1);
    await ended(2);
    expect([script.logOf(1, first), script.logOf(1, second)]).toEqual(['first\n', 'second\n']);
  });
});

test('tasks start in order and share what the machine has', async () => {
  const { coordinator, job, ran, go, ended } = setUp();
  job(1, WAITS, { cpus: 0.5 });
  job(2, WAITS, { cpus: 2 });
  job(3, WAITS, { cpus: 1, memoryBytes: 2 ** 31 });
  coordinator.grant(1, 0, 3);
  coordinator.grant(2, 10, 1);
  coordinator.grant(3, 20, 1);
  coordinator.grant(1, 3, 1);
  await until('four to start', () => ran().length === 4);
  go();
  await ended(6);
  expect(ran().slice(0, 4).toSorted()).toEqual([0, 1, 2, 3]);
  expect(ran().slice(4)).toEqual([10, 20]);
});

describe('short tasks wait in the forker ahead of need', () => {
  /** Short up to 100; later ones wait for the file `go`. */
  const SHORT_THEN_LONG = `[ $JOB_ARRAY_INDEX -lt 100 ] || { ${WAITS}; }`;

  test.each(['revoke', 'cancel'] as const)('and come back by a %s, where they have not started', async (type) => {
    const { coordinator, job, ran, ended, go } = setUp();
    job(1, SHORT_THEN_LONG, { graceMs: 100 });
    const fence = coordinator.grant(1, 0, 150);
    await until('two long ones to start', () => ran().length === 2);
    coordinator.send({ type, fences: [[fence, 150]] });
    await until('the others back', () => coordinator.returned.length === 48);
    if (type === 'revoke') go();
    const outcomes = (await ended(102)).filter(({ outcome }) => outcome !== 0).map(({ outcome }) => outcome);
    expect(outcomes).toEqual(type === 'revoke' ? [] : [TERMINATED, TERMINATED]);
    expect(ran()).toHaveLength(2);
  });

  test('and come back by a drain', async () => {
    const { coordinator, job, ran, go, script } = setUp();
    job(1, SHORT_THEN_LONG);
    coordinator.grant(1, 0, 150);
    await until('two long ones to start', () => ran().length === 2);
    script.worker.drain();
    await until('the others back', () => coordinator.returned.length === 48);
    go();
    expect(await script.done).toBe('left');
    expect(coordinator.ends).toHaveLength(102);
  });

  test('and never run beside more than the machine has room for', async () => {
    const { coordinator, job, ended, script } = setUp();
    const noted = 'echo + >>"$OUT/noted"; i=0; while [ $i -lt 300 ]; do i=$((i+1)); done; echo - >>"$OUT/noted"';
    for (const id of [1, 2, 3]) job(id, noted, { cpus: id === 3 ? 2 : 1 });
    for (let round = 0; round < 6; round++) {
      coordinator.grant(1, round * 30, 30);
      // By now some of the first job wait in the forker, and others come beside them.
      await ended(round * 42 + 10);
      coordinator.grant(2, round * 10, 10);
      coordinator.grant(3, round, 2);
      await ended(round * 42 + 42);
    }
    let atOnce = 0;
    const most = [...script.read('noted').matchAll(/[+-]/g)].reduce((max, [sign]) => {
      atOnce += sign === '+' ? 1 : -1;
      return Math.max(max, atOnce);
    }, 0);
    expect(most).toBe(2);
  });
});

test('nothing of the worker stays behind when it leaves', async () => {
  const { coordinator, job, folder, ended, script } = setUp();
  job(1, 'true');
  coordinator.grant(1, 0, 2);
  await ended(2);
  script.worker.drain();
  expect(await script.done).toBe('left');
  expect(readdirSync(join(folder, 'data/worker/sessions'))).toEqual([]);
  await until('the end of the forker', () => !isAlive(script.forkers[0]!.pid));
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
