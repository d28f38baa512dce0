import { expect, test } from 'vitest';
import { scriptedJob } from '../../test/support/scripted-coordinator.ts';
import { IndexSet } from '../core/index-set.ts';
import { needsOf } from '../core/resources.ts';
import { Attempts } from './attempts.ts';
import type { Forker, RunRequest, TaskEnded } from './forker/types.ts';
import type { KnownJob } from './job-book.ts';

const LOG = { segment: 1, offset: 0 };

function setUp(bindCpus: boolean, { cpus = 1.5, mostFiles = 1_000_000 } = {}) {
  const { gpus = 0, resources = {}, ...description } = scriptedJob(1, 'true', { cpus });
  const job: KnownJob = {
    description,
    lane: 0,
    needs: needsOf({ ...description, gpus, resources }),
    queueId: 1,
    indices: IndexSet.ofSize(10_000),
    prepared: { argv: ['true'], env: [], cwd: '/' },
  };
  let fence = 1_000;
  const runs: RunRequest[] = [];
  const forker = { run: (request: RunRequest) => void runs.push(request) } as unknown as Forker;
  const attempts = new Attempts({
    resources: { cpus: 4, memoryBytes: 1_000 },
    gpus: [],
    bindCpus,
    host: 'h',
    elsewhere: undefined,
    job: () => job,
    envId: () => 1,
    onStarted: () => {},
    onEnded: () => {},
    onSuspended: () => {},
    onRefused: () => {},
  });
  attempts.mostFiles = mostFiles;
  /** Gives the thousandths of a CPU that the forker was to bind the task to. */
  const run = (fence: number, wallUs: number): number | undefined => {
    attempts.start(forker, { jobId: 1, lane: 0, fence, position: fence, attempt: 1 });
    attempts.onStarted({ fence, pid: 1, log: LOG });
    const end = { fence, wallUs, userUs: 0, systemUs: 0, end: { kind: 'exited', code: 0 }, cause: 'none', logEnd: LOG };
    attempts.onEnded({ ...end, logStart: LOG } as unknown as TaskEnded);
    return runs.at(-1)!.cpuMilli;
  };
  /** Starts what fits, and gives how many there are. */
  const fill = (): number => {
    for (; attempts.fitOf(1, 0, 0, true) === 'fits'; fence++) {
      attempts.start(forker, { jobId: 1, lane: 0, fence, position: fence, attempt: 1 });
    }
    return attempts.count;
  };
  return { run, fill, attempts };
}

test('tasks are bound to CPUs, but those in a stream of short ones', () => {
  const { run } = setUp(true);
  const bound = Array.from({ length: 110 }, (_, fence) => run(fence, 1_000));
  expect(bound).toEqual([...Array(100).fill(1_500), ...Array(10).fill(undefined)]);
  expect([run(200, 60_000), run(201, 1_000)]).toEqual([undefined, 1_500]);
});

test('none is where the worker was told so', () => {
  expect(setUp(false).run(1, 60_000)).toBeUndefined();
});

test('no more are sent to the forker than could be stopped soon: the next when one has started', () => {
  const { fill, attempts } = setUp(false, { cpus: 0.001 });
  expect(fill()).toBe(256);
  for (const fence of [1_000, 1_001]) attempts.onStarted({ fence, pid: 1, log: LOG });
  expect(fill()).toBe(258);
  attempts.lost();
  expect(fill()).toBe(256);
});

test('no more run than the forker can have files open for', () => {
  const { fill } = setUp(false, { cpus: 0.001, mostFiles: 21 });
  expect(fill()).toBe(10);
});
