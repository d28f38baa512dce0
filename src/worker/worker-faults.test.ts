import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { scriptedJob } from '../../test/support/scripted-coordinator.ts';
import { until } from '../../test/support/until.ts';
import { workerOnScript } from '../../test/support/worker-on-script.ts';
import { bootId, identify } from '../client/node/process-identity.ts';
import { SpawnError } from '../core/errors.ts';
import { encodeOutcome } from '../core/outcome.ts';

const LOST = encodeOutcome({ kind: 'lost' });
const PREEMPTED = encodeOutcome({ kind: 'preempted' });
const GONE = new SpawnError('SERVER_UNREACHABLE', { address: 'nowhere', why: 'connection refused' });
/** Notes its process number and runs for a long time. */
const LONG = 'echo $$ >>"$OUT/pids"; exec sleep 1000';
/** As LONG, with a child that leaves the process group and the session. */
const LEAVES = `setsid sh -c 'echo $$ >>"$OUT/pids"; exec sleep 1000' & ${LONG}`;

function setUp(changes = {}, prepare: (script: ReturnType<typeof workerOnScript>) => void = () => {}) {
  const script = workerOnScript();
  prepare(script);
  const job = (id: number, text: string, more = {}) =>
    script.coordinator.send({
      type: 'job',
      job: scriptedJob(id, text, { env: { OUT: script.folder }, graceMs: 200, ...more }),
    });
  script.start(changes);
  const pids = () => script.read('pids').split('\n').filter(Boolean).map(Number);
  const alive = () => pids().filter((pid) => identify(pid) !== undefined);
  return { ...script, script, job, pids, alive };
}

describe('a lease that cannot be renewed', () => {
  test('ends what runs, and it is reported lost when the server is back in time', async () => {
    const { coordinator, job, pids, alive, ended } = setUp({}, ({ coordinator }) => {
      Object.assign(coordinator, { leaseMs: 1_500, heartbeatMs: 300 });
    });
    job(1, LONG);
    const fence = coordinator.grant(1, 0, 3);
    await until('two to start', () => pids().length === 2);
    coordinator.failure = GONE;
    await until('the end of both', () => alive().length === 0);
    coordinator.failure = undefined;
    await ended(2);
    expect(coordinator.endOf(fence)?.outcome).toBe(LOST);
    expect(coordinator.endOf(fence + 1)?.outcome).toBe(LOST);
    await until('the third to start', () => pids().length === 3);
    expect(alive()).toHaveLength(1);
  });

  test('ends what runs also when no call is answered any more', async () => {
    const { coordinator, job, pids, alive } = setUp({}, ({ coordinator }) => {
      Object.assign(coordinator, { leaseMs: 1_500, heartbeatMs: 300 });
    });
    job(1, LONG);
    coordinator.grant(1, 0, 1);
    await until('it to start', () => pids().length === 1);
    coordinator.frozen = true;
    await until('its end', () => alive().length === 0);
  });
});

describe('a forker that dies', () => {
  test('costs its tasks, is followed by another, and leaves no process', async () => {
    const { coordinator, job, pids, alive, forkers, ended, lines } = setUp();
    job(1, LEAVES);
    const fence = coordinator.grant(1, 0, 3);
    await until('four processes', () => pids().length === 4);
    process.kill(forkers[0]!.pid, 'SIGKILL');
    const ends = await ended(2);
    expect(ends.map((end) => [end.fence, end.outcome])).toEqual([
      [fence, LOST],
      [fence + 1, LOST],
    ]);
    await until('the third to start', () => pids().length === 6);
    expect(alive()).toEqual(pids().slice(4));
    expect(forkers).toHaveLength(2);
    expect(lines).toEqual([expect.stringContaining('the forker died (SIGKILL), its tasks are lost')]);
    await until('its start', () => coordinator.started.has(fence + 2));
    expect(coordinator.exchanges.at(-1)?.starts?.logSegment).toEqual([65_536 + 1]);
  });

  test('and none that starts: the worker gives up its session', async () => {
    const { script, coordinator } = setUp({
      forkers: { killLeftovers: async () => 0, start: () => Promise.reject(new Error('no forker here')) },
    });
    await expect(script.done).rejects.toThrow('no forker here');
    expect(coordinator.byes).toEqual([coordinator.sessionId]);
  });
});

describe('a session that the server does not know', () => {
  test('ends at once with all its tasks; the next one takes grants', async () => {
    const { coordinator, job, pids, alive, ended } = setUp();
    job(1, LEAVES);
    coordinator.grant(1, 0, 5);
    await until('four processes', () => pids().length === 4);
    coordinator.forgetSession();
    await until('the next hello', () => coordinator.hellos.length === 2);
    expect(alive()).toEqual([]);
    job(2, 'true');
    const fence = coordinator.grant(2, 0, 1);
    expect(await ended(1)).toMatchObject([{ fence, outcome: 0 }]);
    expect(pids()).toHaveLength(4);
  });
});

describe('a link that breaks', () => {
  test('costs nothing: what was sent meanwhile arrives, and all that is held is listed', async () => {
    const { coordinator, job, ended } = setUp();
    job(1, 'echo $$ >>"$OUT/pids"; until [ -e "$OUT/go" ]; do sleep 0.02; done');
    const fence = coordinator.grant(1, 0, 2);
    await until('both to start', () => coordinator.started.size === 2);
    coordinator.breakStreams();
    const second = coordinator.grant(1, 2, 2);
    await until('the list', () => coordinator.exchanges.some(({ heldRuns }) => heldRuns !== undefined));
    expect(coordinator.exchanges.findLast(({ heldRuns }) => heldRuns)?.startedRuns).toEqual([[fence, 2]]);
    writeFileSync(join(coordinator.logDir!, '../go'), '');
    expect((await ended(4)).map((end) => end.fence).toSorted()).toEqual([fence, fence + 1, second, second + 1]);
  });

  test('ends a worker that was told to end when the server is gone', async () => {
    const { coordinator, job, pids, alive, script } = setUp({ exitWhenGoneMs: 200 }, ({ coordinator }) => {
      Object.assign(coordinator, { leaseMs: 1_000, heartbeatMs: 200 });
    });
    job(1, LONG);
    coordinator.grant(1, 0, 1);
    await until('it to start', () => pids().length === 1);
    coordinator.failure = GONE;
    coordinator.breakStreams();
    expect(await script.done).toBe('gone');
    expect(alive()).toEqual([]);
  });

  test('before the first hello: it is tried until the server is there, or for long enough', async () => {
    const { coordinator, lines, job, ended } = setUp({}, ({ coordinator }) => {
      coordinator.failure = GONE;
    });
    await until('a try', () => lines.length === 1);
    coordinator.failure = undefined;
    job(1, 'true');
    coordinator.grant(1, 0, 1);
    await ended(1);
    const other = setUp({ exitWhenGoneMs: 100 }, ({ coordinator }) => {
      coordinator.failure = GONE;
    });
    expect(await other.script.done).toBe('gone');
  });

  test('a server that refuses the worker ends it', async () => {
    const { script } = setUp({}, ({ coordinator }) => {
      coordinator.failure = new SpawnError('VERSION_UNSUPPORTED', { expected: '2', found: '1' });
    });
    await expect(script.done).rejects.toMatchObject({ code: 'VERSION_UNSUPPORTED' });
  });
});

describe('told to end', () => {
  test('tasks that do not finish in time get TERM, then KILL, and are preempted', async () => {
    const { coordinator, job, pids, script, alive } = setUp({ graceMs: 50 });
    job(1, `trap 'echo term >>"$OUT/trapped"' TERM; echo $$ >>"$OUT/pids"; while :; do sleep 0.05; done`, {
      graceMs: 100,
    });
    const fence = coordinator.grant(1, 0, 3);
    await until('two to start', () => pids().length === 2);
    script.worker.drain();
    expect(await script.done).toBe('left');
    expect(coordinator.ends.map(({ outcome }) => outcome)).toEqual([PREEMPTED, PREEMPTED]);
    expect(coordinator.returned).toEqual([fence + 2]);
    expect(script.read('trapped')).toBe('term\nterm\n');
    expect(alive()).toEqual([]);
  });

  test('a task that finishes its work after TERM has done it', async () => {
    const { coordinator, job, pids, script } = setUp({ graceMs: 0 });
    job(1, `trap 'exit 0' TERM; echo $$ >>"$OUT/pids"; while :; do sleep 0.02; done`);
    coordinator.grant(1, 0, 1);
    await until('it to start', () => pids().length === 1);
    script.worker.drain();
    await script.done;
    expect(coordinator.ends.map(({ outcome }) => outcome)).toEqual([0]);
  });
});

describe('what a dead worker left', () => {
  test('is killed by the next one of the same directory, and a living one is left alone', async () => {
    const first = setUp();
    first.job(1, LEAVES);
    first.coordinator.grant(1, 0, 1);
    await until('two processes', () => first.pids().length === 2);
    const sessions = join(first.folder, 'data/worker/sessions');
    const marker = readdirSync(sessions)[0]!.slice(0, -'.json'.length);
    const second = setUp({ dataDir: join(first.folder, 'data') });
    await until('its session', () => second.coordinator.hellos.length === 1);
    expect(first.alive()).toHaveLength(2);

    mkdirSync(join(first.folder, 'other/worker/sessions'), { recursive: true });
    const dead = { pid: process.pid, startTicks: 1, bootId: bootId(), session: marker };
    writeFileSync(join(first.folder, `other/worker/sessions/${marker}.json`), JSON.stringify(dead));
    const third = setUp({ dataDir: join(first.folder, 'other') });
    await until('its session', () => third.coordinator.hellos.length === 1);
    expect(first.alive()).toEqual([]);
    expect(third.lines).toEqual([expect.stringContaining('killed what dead workers had left (sessions: 1)')]);
  });
});
