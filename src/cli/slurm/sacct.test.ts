import { describe, expect, test } from 'vitest';
import { aJob, aTask, type RunOptions, runCli } from '../../../test/support/cli-world.ts';
import type { HistoryJob, HistoryQueryInput, HistoryTask } from '../../api/history.ts';
import type { JobView } from '../../api/job.ts';
import type { QueueGroup } from '../../api/queue.ts';

const NOW = Date.UTC(2026, 10, 21, 12);
const AT = NOW - 60_000;

function told(
  job: Partial<JobView>,
  tasks: readonly Partial<HistoryTask>[],
  groups: readonly Partial<QueueGroup>[] = [],
): HistoryJob {
  const view = aJob({ owner: '65534', createdAt: AT, size: 1, memoryBytes: 100 * 2 ** 20, ...job });
  const { priority, cpus, memoryBytes, timeLimitMs } = view;
  return {
    job: view,
    lanes: [{ priority, cpus, memoryBytes, timeLimitMs }],
    groups: groups.map((group) => ({ state: 'ready', reason: 'Resources', indices: '0', count: 1, lane: 0, ...group })),
    tasks: tasks.map((task) => {
      const index = task.index ?? 0;
      const rawId = view.array === undefined ? view.id : 1e9 + index;
      const whole = aTask(index, { attempt: 1, worker: 'n1', startedAt: AT + 1_000, ...task });
      return { ...whole, id: `${view.id}_${index}`, jobId: view.id, rawId, lane: 0 };
    }),
  };
}

const ended = { endedAt: AT + 2_000, wallMs: 1_000, cpuMs: 5.9, maxRssBytes: 6_295_552 };
const OK = { state: 'completed', cause: 'exited', exitCode: 0, process: { code: 0 }, ...ended } as const;
const failed = (code: number) => ({ ...OK, state: 'failed', exitCode: code, process: { code } }) as const;

const JOBS = [
  told({ id: 1, name: 'ok', state: 'completed', endedAt: ended.endedAt }, [OK]),
  told({ id: 2, name: 'bad', slurm: { account: 'test', name: 'b a d' }, timeLimitMs: 300_000 }, [failed(3)]),
  told({ id: 5, name: 'canc' }, [
    { state: 'cancelled', cause: 'cancelled', exitCode: 1, process: { signal: 15 }, ...ended },
  ]),
  told({ id: 6, name: 'pend', endedAt: NOW }, [], [{ state: 'cancelled', reason: 'JobHeldUser' }]),
  told({ id: 7, name: 'run', cpus: 2 }, [{ state: 'running', startedAt: NOW - 10_000 }]),
  told({ id: 8, name: 'sig' }, [{ ...OK, state: 'failed', cause: 'signalled', exitCode: 137, process: { signal: 9 } }]),
  told({ id: 3, name: 'arr', array: '1-3', size: 3 }, [
    { ...OK, index: 1 },
    { ...failed(1), index: 2 },
    { ...OK, index: 3 },
  ]),
  told(
    { id: 4, name: 'held', array: '5-9', size: 5, throttle: 2, held: true },
    [],
    [{ reason: 'JobHeldUser', indices: '5-9', count: 5 }],
  ),
];

interface Asked {
  readonly text: string;
  readonly queries: readonly HistoryQueryInput[];
}

async function ask(words: readonly string[], jobs: readonly HistoryJob[] = JOBS, env = {}): Promise<Asked> {
  const queries: HistoryQueryInput[] = [];
  const options: RunOptions = {
    client: {
      history: async (query: HistoryQueryInput) => {
        queries.push(query);
        // A page for each job.
        const at = Number(query.after ?? 0);
        const next = at + 1 < jobs.length ? { next: String(at + 1) } : {};
        return { now: NOW, jobs: jobs.slice(at, at + 1), missing: [], ...next };
      },
      script: async () => new TextEncoder().encode('#!/bin/sh\ntrue\n'),
    },
    world: { env, now: () => NOW },
  };
  const { code, out, err } = await runCli(['sacct', ...words], options);
  return { text: `${out}${err === '' ? '' : `! ${err}`}${code === 0 ? '' : `rc=${code}\n`}`, queries };
}

const lines = async (text: string, jobs?: readonly HistoryJob[]) =>
  (await ask(text.split(' '), jobs)).text.trimEnd().split('\n');

// Answers of Slurm 22.05.8 for such jobs; the last task of an array has a number of its own here.
describe('sacct', () => {
  test('shows jobs and their steps in columns', async () => {
    expect(
      (await ask(['-j', '1'], JOBS.slice(0, 1))).text,
    ).toBe(`JobID           JobName  Partition    Account  AllocCPUS      State ExitCode 
------------ ---------- ---------- ---------- ---------- ---------- -------- 
1                    ok       main                     1  COMPLETED      0:0 
1.batch           batch                                1  COMPLETED      0:0 
`);
  });

  test('separates values, and shows jobs alone', async () => {
    expect(await lines('-n -P -X -a -j 1,2,3,4,5,6,7,8 -o JobID,JobName,State,ExitCode')).toEqual([
      '1|ok|COMPLETED|0:0',
      '2|b a d|FAILED|3:0',
      '5|canc|CANCELLED by 65534|0:0',
      '6|pend|CANCELLED by 65534|0:0',
      '7|run|RUNNING|0:0',
      '8|sig|FAILED|0:9',
      '3_1|arr|COMPLETED|0:0',
      '3_2|arr|FAILED|1:0',
      '3_3|arr|COMPLETED|0:0',
      '4_[5-9%2]|held|PENDING|0:0',
    ]);
    expect(await lines('-p -j 2 -o jobid,account', [JOBS[1]!])).toEqual(['JobID|Account|', '2|test|', '2.batch|test|']);
    expect(await lines('-P --delimiter=; -n -j 2 -o jobid,state', [JOBS[1]!])).toEqual(['2;FAILED', '2.batch;FAILED']);
  });

  test('shows what the step made of it', async () => {
    expect(await lines('-n -P -j 3,5,8 -o JobIDRaw,State,ExitCode', [JOBS[2]!, JOBS[5]!, JOBS[6]!])).toEqual([
      '5|CANCELLED by 65534|0:0',
      '5.batch|CANCELLED|0:15',
      '8|FAILED|0:9',
      '8.batch|CANCELLED|0:9',
      ...[1, 2, 3].flatMap((index) => {
        const end = index === 2 ? 'FAILED|1:0' : 'COMPLETED|0:0';
        return [`${1e9 + index}|${end}`, `${1e9 + index}.batch|${end}`];
      }),
    ]);
    expect(await lines('-n -j 3.batch -o jobid,state', [JOBS[6]!])).toEqual([
      '3_1.batch     COMPLETED ',
      '3_2.batch        FAILED ',
      '3_3.batch     COMPLETED',
    ]);
    expect((await ask(['-n', '-j', '3.0'], [JOBS[6]!])).text).toBe('');
  });

  test('shows what was used', async () => {
    const fields =
      'Elapsed,ElapsedRaw,CPUTime,TotalCPU,MaxRSS,MaxRSSNode,ReqMem,AllocCPUS,NNodes,NodeList,Timelimit,AllocTRES,AveCPU';
    expect(await lines(`-n -P -j 1 -o ${fields}`, [JOBS[0]!])).toEqual([
      '00:00:01|1|00:00:01|00:00.005|||100M|1|1|n1|UNLIMITED|billing=1,cpu=1,mem=100M,node=1|',
      '00:00:01|1|00:00:01|00:00.005|6148K|n1||1|1|n1||cpu=1,mem=100M,node=1|00:00:00',
    ]);
    expect(await lines(`-n -P -X -j 7 -o ${fields},End,TimelimitRaw`, [JOBS[4]!])).toEqual([
      '00:00:10|10|00:00:20|00:00:00|||100M|2|1|n1|UNLIMITED|billing=2,cpu=2,mem=100M,node=1||Unknown|UNLIMITED',
    ]);
    expect(await lines('-n -P -X -j 4 -o Start,End,NodeList,Reason,Timelimit,AllocNodes,Priority', [JOBS[7]!])).toEqual(
      ['Unknown|Unknown|None assigned|JobHeldUser|Partition_Limit|0|0'],
    );
    expect(await lines('-n -X -j 1 --units=G -o reqmem,reqtres%40', [JOBS[0]!])).toEqual([
      '     0.10G         billing=1,cpu=1,mem=0.10G,node=1',
    ]);
  });

  test('adds formats up, and takes its own from a variable', async () => {
    expect((await lines('-P -b -o state -X -j 1', [JOBS[0]!]))[0]).toBe('JobID|State|ExitCode|State');
    expect((await lines('-P -l -j 1', [JOBS[0]!]))[0]!.split('|')).toHaveLength(54);
    const own = { SACCT_FORMAT: 'jobid%20,state' };
    expect((await ask(['-X', '-j', '1'], [JOBS[0]!], own)).text).toBe(
      '               JobID      State \n-------------------- ---------- \n                   1  COMPLETED \n',
    );
    expect(
      (await ask(['-n', '-X', '-j', '1', '-o', 'start'], [JOBS[0]!], { SLURM_TIME_FORMAT: '%s%%' })).text,
    ).toContain('%');
    expect((await lines('-e')).slice(0, 2)).toEqual([
      'Account             AdminComment        AllocCPUS           AllocNodes         ',
      'AllocTRES           AssocID             AveCPU              AveCPUFreq         ',
    ]);
  });

  test('asks for no more than it shows', async () => {
    const query = async (text: string) => (await ask(text.split(' '), [])).queries;
    expect(await query('-j 12,13_[1-3] -j 14_2 -j 15.batch')).toEqual([
      { limit: 5_000, attempts: 'last', ids: ['12', '13_[1-3]', '14_[2]'] },
      { limit: 5_000, attempts: 'last', ids: ['15'] },
    ]);
    expect(await query('-j 1 -D -s F,CA --name x,y')).toMatchObject([{ attempts: 'all', names: ['x', 'y'] }]);
    expect((await query('-j 1 -s F,CA'))[0]!.states).toBe('failed,cancelled,skipped');
    expect((await query('-j 1 -s F,R'))[0]!.states).toBeUndefined();
    expect((await query('-a -u 0'))[0]!.owners).toBeUndefined();
    expect((await query('-u 4242'))[0]!.owners).toEqual(['4242']);
    expect((await query(`-u ${process.getuid!()}`))[0]!.owners).toEqual(['@me']);
    expect((await query('-a -S now-1hour -E now'))[0]).toMatchObject({
      endedFrom: NOW - 3_600_000,
      createdTo: NOW + 1_000,
    });
  });

  test('looks at a window of time', async () => {
    const ids = async (text: string) => await lines(`-a -n -X -P -o jobid ${text}`);
    // What was held until now never was eligible.
    expect(await ids('-S now-1hour')).toEqual(['1', '2', '5', '7', '8', '3_1', '3_2', '3_3']);
    expect(await ids('-S now-30seconds')).toEqual(['7']);
    expect(await ids('-s R')).toEqual(['7']);
    expect(await ids('-s F,CD -S now-1hour -E now')).toEqual(['1', '2', '8', '3_1', '3_2', '3_3']);
    expect(await ids('-s F -S now-1hour')).toEqual(['']);
    expect(await ids('-j 4,6')).toContain('6');
    expect(await ids('-s R -S now-1hour -E now')).toEqual(['1', '2', '5', '7', '8', '3_1', '3_2', '3_3']);
    expect(await lines('-a -n -X -P -T -S now-5seconds -o jobid,elapsedraw')).toEqual(['7|5']);
  });

  test('filters by what it shows', async () => {
    const ids = async (text: string) => await lines(`-n -X -P -o jobid -j 1,2,3,4,5,6,7,8 ${text}`);
    expect(await ids('-A test')).toEqual(['2']);
    expect(await ids('-I 2')).toEqual(['7']);
    expect(await ids('-k 4 -K 10')).toEqual(['2']);
    expect(await ids('-k 4')).toEqual(['']);
    expect(await ids('-i 2-3')).toEqual(['']);
    expect(await ids('-N n[2-9]')).toEqual(['']);
    expect(await ids('-r nosuch')).toEqual(['']);
    expect(await ids('--reason=JobHeldUser')).toEqual(['6', '4_[5-9%2]']);
  });

  test('shows attempts that were sent back', async () => {
    const job = told({ id: 9 }, [
      { ...OK, state: 'cancelled', cause: 'cancelled', process: { signal: 15 }, again: true },
      { ...OK, attempt: 2 },
    ]);
    expect(await lines('-n -P -D -o JobID,State,ExitCode -j 9', [job])).toEqual([
      '9|REQUEUED|0:0',
      '9.batch|CANCELLED|0:15',
      '9|COMPLETED|0:0',
      '9.batch|COMPLETED|0:0',
    ]);
  });

  test('does not count what was suspended', async () => {
    const job = told({ id: 9 }, [{ ...OK, endedAt: AT + 31_000, suspendedMs: 20_000 }]);
    expect(await lines('-n -P -X -j 9 -o elapsedraw,suspended', [job])).toEqual(['10|00:00:20']);
    const still = told({ id: 9 }, [
      { state: 'running', suspended: true, suspendedAt: NOW - 5_000, startedAt: NOW - 9_000 },
    ]);
    expect(await lines('-n -P -X -j 9 -o state,elapsedraw,suspended', [still])).toEqual(['SUSPENDED|4|00:00:05']);
  });

  test('joins what waits of an array over pages', async () => {
    const part = (indices: string, tasks: readonly Partial<HistoryTask>[] = []) =>
      told({ id: 4, array: '0-9', size: 10, throttle: 3 }, tasks, [
        { indices, count: 2 },
        { state: 'cancelled', reason: 'None', indices: `${Number(indices.at(-1)) + 1}` },
      ]);
    const other = told({ id: 5, array: '0-1', size: 2 }, [], [{ indices: '0-1', count: 2 }]);
    expect(
      await lines('-n -P -X -j 4,5 -o jobid,state', [part('0-1', [{ ...OK, index: 9 }]), part('4-5'), other]),
    ).toEqual(['4_9|COMPLETED', '4_[0-1,4-5%3]|PENDING', '4_[2,6%3]|CANCELLED by 65534', '5_[0-1]|PENDING']);
  });

  test('writes JSON with the keys of Slurm', async () => {
    const { jobs, errors } = JSON.parse((await ask(['--json', '-j', '2,4'], [JOBS[1]!, JOBS[7]!])).text);
    expect(errors).toEqual([]);
    expect(jobs[0]).toMatchObject({ job_id: 2, name: 'b a d', exit_code: { status: 'ERROR', return_code: 3 } });
    expect(jobs[0].steps[0]).toMatchObject({ state: 'FAILED', step: { id: 'batch' } });
    expect(jobs[1]).toMatchObject({
      array: { job_id: 4, task: '5-9' },
      state: { current: 'PENDING', reason: 'JobHeldUser' },
    });
    expect(Object.keys(jobs[0]).toSorted()).toEqual(
      'account allocation_nodes array association cluster comment constraints container derived_exit_code exit_code flags group het job_id kill_request_user mcs name nodes partition priority qos required reservation state steps time tres user wckey working_directory'.split(
        ' ',
      ),
    );
    expect(JSON.parse((await ask(['--json', '-j', '9'], [])).text).jobs).toEqual([]);
  });

  test.each([
    ['-j abc', '! sacct: fatal: Bad job/step specified: abc\nrc=1\n'],
    ['-o nope', '! sacct: error: Invalid field requested: "nope"\nrc=1\n'],
    ['--nosuch', "! sacct: unrecognized option '--nosuch'\nrc=1\n"],
    ['-s nope', "! sacct: fatal: unrecognized job state value 'nope'\nrc=1\n"],
    ['-S nope', '! Invalid time specification (pos=0): nope\nrc=1\n'],
    ['-u nosuch', '! sacct: error: Invalid user id: nosuch\nrc=1\n'],
    ['-i x', '! sacct: error: Invalid numeric value "x" for requested node range.\nrc=1\n'],
    [
      '--units=x',
      "! sacct: error: Invalid unit type 'x'. Possible options are 'KMGTP'\nsacct: fatal: Invalid unit type\nrc=1\n",
    ],
    ['operand', '! sacct: error: Unknown arguments:\nsacct: error:  operand\nrc=1\n'],
    ['-f /dev/null', '! /dev/null is not a valid file\nrc=1\n'],
    [
      '-B',
      "! sacct: fatal: When requesting job scripts you must also request specific jobs with the '-j' option.\nrc=1\n",
    ],
  ])('%s', async (words, text) => expect((await ask(words.split(' '))).text).toBe(text));

  test('refuses a window that ends before it begins', async () => {
    expect((await ask(['-S', 'now+1hour'])).text).toMatch(
      /^! sacct: error: Start time \(\S+\) requested is after end time \(\S+\)\.\nrc=1\n$/,
    );
  });

  test('gives the script', async () => {
    expect((await ask(['-B', '-j', '1'])).text).toBe(`Batch Script for 1\n${'-'.repeat(80)}\n#!/bin/sh\ntrue\n\n`);
  });
});
