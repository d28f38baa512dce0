import { describe, expect, test } from 'vitest';
import {
  aDelta,
  aFailure,
  aJob,
  aSummary,
  aTask,
  deltas,
  type RunOptions,
  runCli,
  someCounts,
} from '../../test/support/cli-world.ts';
import { logBytes } from '../../test/support/log-bytes.ts';
import { SpawnError } from '../core/errors.ts';

const running = aJob({ size: 3, state: 'running', counts: someCounts({ completed: 1, running: 2 }) });
const ended = aJob({
  size: 3,
  state: 'failed',
  counts: someCounts({ completed: 2, failed: 1 }),
  startedAt: 0,
  endedAt: 5_000,
  exitCode: 3,
});
const cell = (state: number) => [0, 0, 0, 0, 0, 0, 0, 0].map((_, at) => (at === state ? 1 : 0));

const client: NonNullable<RunOptions['client']> = {
  job: async () => running,
  watch: deltas(aDelta(running), aDelta(ended)),
  watchGrid: async function* () {
    yield { size: 3, cells: 3, changed: [0, 1, 2].map((at) => [at, cell(4)]), ended: false };
    yield { size: 3, cells: 3, changed: [[1, cell(5)]], ended: true };
  },
  logs: async function* () {
    yield logBytes({ position: 1, fence: 7, data: 'oh no\n' });
  },
  summary: async () =>
    aSummary(ended, { failures: [aFailure({ tasks: 1, example: '12_1' })], latestRunning: [aTask(1, { attempt: 1 })] }),
};

describe('watch JOB', () => {
  test('draws progress, every task, failures and output, and ends with the exit code of the job', async () => {
    const { code, out, calls } = await runCli(['watch', 'fit'], { client, tty: true });
    expect(code).toBe(3);
    const frame = out.slice(out.lastIndexOf('\x1b[J') + '\x1b[J'.length);
    expect(frame).toMatch(/^fit \(fit-20261121-ab12cd\) {2}failed {2}run\.sh\njob 12 .*3\/3, 1 failed\n/);
    expect(frame).toContain('\n#x#\nx failed  # completed\n');
    expect(frame).toContain('\n1 × exit 3 (12_1): No such file: <path>\n');
    expect(frame).toContain('\n[1] oh no\n');
    expect(frame).toMatch(/\njob 12 failed: 2 completed, 1 failed in 5\.0s\n$/);
    const query = { follow: '1', tail: 5 };
    expect(calls.find(([name]) => name === 'logs')?.slice(0, 3)).toEqual(['logs', '12_1', query]);
  });

  test('follows few of many running tasks, and others as these end', async () => {
    const open = new Set<string>();
    let most = 0;
    let looks = 0;
    const followed: string[] = [];
    const watch = async function* () {
      yield aDelta(running);
      while (looks < 8) await new Promise((resolve) => setImmediate(resolve));
      yield aDelta(ended);
    };
    const logs = async function* (ref: string, _: unknown, { signal }: { signal: AbortSignal }) {
      followed.push(ref);
      open.add(ref);
      most = Math.max(most, open.size);
      // Every second task ends soon.
      while (!signal.aborted && (Number(ref.slice(3)) % 2 === 0 || looks < 4)) await new Promise(setImmediate);
      open.delete(ref);
      yield logBytes({ position: 1, fence: 7, data: `I am ${ref}\n` });
    };
    const latest = () => [0, 1, 2, 3, 4].map((at) => aTask(looks * 5 + at, { attempt: 1 }));
    const summary = async () => {
      looks += 1;
      return aSummary(running, { latestRunning: latest() });
    };
    const { code, out } = await runCli(['watch', '12'], {
      client: { ...client, watch, logs, summary } as typeof client,
      tty: true,
    });
    expect(code).toBe(3);
    expect(most).toBe(4);
    expect(followed.slice(0, 4)).toEqual(['12_5', '12_6', '12_7', '12_8']);
    // Two ended, and two of the then newest took their places.
    expect(followed.length).toBeGreaterThan(5);
    expect(open.size).toBe(0);
    expect(out).toContain('[5] I am 12_5');
  });

  test('tells what goes wrong beside it', async () => {
    const watchGrid = () => {
      throw new SpawnError('JOB_NOT_FOUND', { ref: '12' });
    };
    const watch = async function* () {
      yield aDelta(running);
      await new Promise(() => {});
    };
    const ran = await runCli(['watch', '12'], { client: { ...client, watch, watchGrid } as typeof client, tty: true });
    expect(ran).toMatchObject({ code: 66, err: 'spawn: job "12" not found\n' });
  });

  test('Ctrl-C ends the watching only', async () => {
    const watch = async function* (_: string, { signal }: { signal: AbortSignal }) {
      yield aDelta(running);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    };
    const onInterrupt = (listener: (code: number) => void) => {
      setImmediate(() => listener(130));
      return () => {};
    };
    const ran = await runCli(['watch', '12'], {
      client: { ...client, watch } as typeof client,
      tty: true,
      world: { onInterrupt },
    });
    expect(ran).toMatchObject({ code: 130, err: 'spawn: job 12 goes on; spawn watch 12 shows it again\n' });
  });
});

test('watch without a job draws the live jobs until Ctrl-C', async () => {
  let interrupt: (code: number) => void = () => {};
  const onInterrupt = (listener: (code: number) => void) => {
    interrupt = listener;
    return () => {};
  };
  let asked = 0;
  const jobs = async () => {
    asked += 1;
    if (asked === 3) interrupt(130);
    return { jobs: asked === 1 ? [] : [running] };
  };
  const { code, out } = await runCli(['watch'], { client: { jobs }, tty: true, world: { onInterrupt } });
  expect(code).toBe(130);
  expect(out).toContain('\x1b[Jno live job\n\x1b[1A\r\x1b[JJOB  NAME  STATE');
  expect(out).toMatch(/\n 12 {2}fit {3}running/);
});

test.each([
  [['watch', '12'], {}, 'none; see: spawn status 12 or spawn wait 12'],
  [['watch'], {}, 'none; see: spawn jobs'],
  [
    ['watch', '12'],
    { tty: true, world: { env: { TERM: 'dumb' } } },
    'TERM=dumb; see: spawn status 12 or spawn wait 12',
  ],
])('%j %j is refused with advice', async (words, options, advice) => {
  expect(await runCli(words, options)).toMatchObject({
    code: 2,
    out: '',
    err: `spawn: watch: expected a terminal to draw on, found ${advice}\n`,
  });
});
