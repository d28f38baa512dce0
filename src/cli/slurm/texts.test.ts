import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { slurmWords } from '../../../test/support/slurm-words.ts';
import { parseDependency } from '../../core/dependency.ts';
import { IndexSet } from '../../core/index-set.ts';
import { bitstrLength, indicesText, waitingId } from './array-text.ts';
import { cpuClock, dateLine, fullClock, leftText, limitText, localTime, shortClock } from './clock-text.ts';
import { dependencyText } from './dependency-text.ts';
import { readSlurmId, readSlurmIds } from './job-ids.ts';
import {
  accountedExit,
  accountedState,
  batchWords,
  readStates,
  reasonSentence,
  shortState,
  stateOrder,
  type TaskFacts,
  wordsOf,
} from './words.ts';

// Answers of Slurm 22.05.8.
describe('indices that wait', () => {
  const set = (text: string) => IndexSet.fromString(text);
  test.each([
    ['5-1024', 4, '5-1024%4'],
    ['1-3', 0, '1-3'],
    ['1-2', 0, '1-2'],
    ['1-10:3,20-30:5', 0, '1,4,7,10,20,25,30'],
    ['1-9:2', 2, '1,3,5,7,9%2'],
    ['2-200:2', 9, '2-200:2%9'],
    ['0-10:2', 0, '0,2,4,6,8,10'],
    ['0-12:2', 0, '0-12:2'],
    ['0-15:3', 0, '0-15:3'],
    ['0-20:5', 0, '0,5,10,15,20'],
    ['0-999:200', 0, '0,200,400,600,800'],
    ['1,3,5,7,9,11,13', 0, '1-13:2'],
    ['3-4,6-12', 0, '3-4,6-12'],
    ['5,7-9,20-40:10', 3, '5,7-9,20,30,40%3'],
    ['0,11', 0, '0,11'],
  ])('%s with %i: %s', (text, throttle, shown) => expect(indicesText(set(text), throttle, 0)).toBe(shown));

  const long = set('1-58:3,100-394:7');
  test.each([
    ['1', '%9'],
    ['5', '1...%9'],
    ['10', '1,4,7,...%9'],
    ['20', '1,4,7,10,13,16,1...%9'],
    ['22', '1,4,7,10,13,16,19,...%9'],
    ['64', '1,4,7,10,13,16,19,22,25,28,31,34,37,40,43,46,49,52,55,58,100...%9'],
    ['-1', '1,4,7,10,13,16,19,22,25,28,31,34,37,40,43,46,49,52,55,58,100...%9'],
    [undefined, '1,4,7,10,13,16,19,22,25,28,31,34,37,40,43,46,49,52,55,58,100...%9'],
  ])('cut by SLURM_BITSTR_LEN=%s', (length, shown) => {
    const env = { SLURM_BITSTR_LEN: length };
    expect(indicesText(long, 9, bitstrLength(env))).toBe(shown);
    if (length !== undefined) expect(waitingId(44, long, 9, env)).toBe(`44_[${shown}]`);
  });

  test('all of them, and in one id', () => {
    for (const length of ['0', '', 'x', '5000']) {
      expect(indicesText(long, 9, bitstrLength({ SLURM_BITSTR_LEN: length }))).toMatch(/^1,4,.*,387,394%9$/);
    }
    expect(waitingId(44, long, 9, {})).toBe('44_[1,4,7,10,13,16,19,22,25,28,');
    expect(waitingId(42, set('5-1024'), 4, {})).toBe('42_[5-1024%4]');
    const flood = IndexSet.fromRuns([
      { start: 0, step: 2, count: 1_500_000 },
      { start: 9_000_000, step: 1, count: 1 },
    ]);
    expect(indicesText(flood, 0, 0).length).toBeLessThan(4_194_305);
  });

  test('are the set', () => {
    const index = fc.integer({ min: 0, max: 60 });
    fc.assert(
      fc.property(fc.uniqueArray(index, { minLength: 1 }), (indices) => {
        const asked = IndexSet.fromRuns(indices.map((start) => ({ start, step: 1, count: 1 })));
        const all = (s: IndexSet) => Array.from({ length: s.size }, (_, position) => s.at(position));
        expect(all(IndexSet.fromString(indicesText(asked, 0, 0)))).toEqual(all(asked));
      }),
    );
  });
});

describe('clocks', () => {
  const S = 1_000;
  const at = Date.UTC(2026, 10, 1, 16, 52, 29);
  const zone = () => 120;
  test('of durations', () => {
    expect([0, 2.9, 300, 3_780, 93_840].map((s) => shortClock(s * S))).toEqual([
      '0:00',
      '0:02',
      '5:00',
      '1:03:00',
      '1-02:04:00',
    ]);
    expect([0, 2, 3_780, 93_840].map((s) => fullClock(s * S))).toEqual([
      '00:00:00',
      '00:00:02',
      '01:03:00',
      '1-02:04:00',
    ]);
    expect([3, 61_250, 3_600_000, 90_000_000].map(cpuClock)).toEqual([
      '00:00.003',
      '01:01.250',
      '01:00:00',
      '1-01:00:00',
    ]);
    expect([shortClock(-1), fullClock(Number.NaN), cpuClock(-1)]).toEqual(['INVALID', 'INVALID', 'INVALID']);
  });

  test('of limits', () => {
    expect([limitText(0, shortClock), limitText(300 * S, shortClock), limitText(0, fullClock, 'infinite')]).toEqual([
      'UNLIMITED',
      '5:00',
      'infinite',
    ]);
    expect([leftText(0, 5), leftText(300 * S, 60 * S), leftText(S, 2 * S)]).toEqual(['UNLIMITED', '4:00', 'INVALID']);
  });

  test('of days', () => {
    expect(localTime(at, zone, 'N/A')).toBe('2026-11-01T18:52:29');
    expect(localTime(undefined, zone, 'Unknown')).toBe('Unknown');
    expect(dateLine(at, zone)).toBe('Sun Nov  1 18:52:29 2026');
    expect(dateLine(Date.UTC(2026, 10, 21, 18, 52, 29), () => 0)).toBe('Sat Nov 21 18:52:29 2026');
  });
});

describe('ids', () => {
  const read = (text: string) => {
    const id = readSlurmId(text);
    if (id === undefined) return undefined;
    const tasks = id.ref.kind === 'tasks' ? `_[${id.ref.indices}]` : '';
    return `${id.ref.id}${tasks}${id.step === undefined ? '' : `.${id.step}`}`;
  };
  test.each([
    ['12', '12'],
    ['01', '1'],
    [' 1', '1'],
    ['12_7', '12_[7]'],
    ['12_', '12_[0]'],
    ['12_[1,3-5]', '12_[1,3-5]'],
    ['12_*', '12'],
    ['12.batch', '12.batch'],
    ['12_7.0', '12_[7].0'],
    ['1000000007', '1000000007'],
    ['abc', undefined],
    ['12x', undefined],
    ['12_x', undefined],
    ['12_[1-', undefined],
    ['12_[]', undefined],
    ['1_1-2', undefined],
    ['1_[1-3]%2', undefined],
    ['1.x', undefined],
    ['1+0', undefined],
    ['1_-1', undefined],
    ['0', undefined],
    ['', undefined],
  ])('%j', (text, id) => expect(read(text)).toBe(id));

  test('in lists', () => {
    expect(readSlurmIds('squeue', '1,2_[3,4],,5.batch').map(({ text }) => text)).toEqual(['1', '2_[3,4]', '5.batch']);
    expect(slurmWords(() => readSlurmIds('squeue', '1,abc'), 'squeue')).toBe(
      'squeue: error: Invalid job id: abc\nrc=1',
    );
    expect(slurmWords(() => readSlurmIds('scancel', '56.batch'), 'scancel')).toBe(
      'scancel: error: Invalid job id 56.batch\nrc=1',
    );
    expect(slurmWords(() => readSlurmIds('scancel', '56_[x]'), 'scancel')).toBe(
      "scancel: error: _parse_single_range: Invalid range: `x'\nscancel: error: Invalid job id 56_[x]\nrc=1",
    );
    expect(slurmWords(() => readSlurmIds('scancel', '56_[]'), 'scancel')).toContain("Invalid range: `'");
    expect(slurmWords(() => readSlurmIds('sacct', 'abc'), 'sacct')).toBe(
      'sacct: fatal: Bad job/step specified: abc\nrc=1',
    );
    expect(slurmWords(() => readSlurmIds('scontrol', 'abc'), 'scontrol')).toBe(
      'Invalid job id specified for job abc\nrc=1',
    );
    expect(slurmWords(() => readSlurmIds('squeue', '1,'.repeat(100_001)), 'squeue')).toContain('Invalid job id');
  });
});

describe('words of tasks', () => {
  const task = (facts: Partial<TaskFacts>): TaskFacts => ({ state: 'failed', ...facts });
  const view = (facts: Partial<TaskFacts>) => Object.values(wordsOf(task(facts))).join(' ');
  test.each<[string, Partial<TaskFacts>]>([
    ['PENDING Dependency 0:0', { state: 'blocked' }],
    ['PENDING DependencyNeverSatisfied 0:0', { state: 'blocked', waits: 'DependencyNeverSatisfied' }],
    ['PENDING None 0:0', { state: 'leased' }],
    ['PENDING JobHeldUser 0:0', { state: 'ready', waits: 'JobHeldUser', cause: 'exited', process: { code: 3 } }],
    ['RUNNING None 0:0', { state: 'running' }],
    ['RUNNING JobHeldUser 0:0', { state: 'running', waits: 'JobHeldUser' }],
    ['SUSPENDED None 0:0', { state: 'running', suspended: true }],
    ['COMPLETING None 0:0', { state: 'running', suspended: true, stopping: true }],
    ['COMPLETED None 0:0', { state: 'completed', cause: 'exited', process: { code: 0 } }],
    ['FAILED NonZeroExitCode 137:0', { cause: 'exited', exitCode: 137, process: { code: 137 } }],
    ['FAILED JobLaunchFailure 0:53', { cause: 'exited', exitCode: 126 }],
    ['FAILED JobLaunchFailure 0:9', { cause: 'signalled', exitCode: 137, signal: 9, process: { signal: 9 } }],
    ['FAILED JobLaunchFailure 0:15', { cause: 'signalled' }],
    ['FAILED NonZeroExitCode 1:0', {}],
    ['FAILED NonZeroExitCode 1:0', { cause: 'cancelled', exitCode: 1 }],
    ['FAILED NonZeroExitCode 1:0', { cause: 'deadline' }],
    ['FAILED NonZeroExitCode 1:0', { cause: 'dependency' }],
    ['TIMEOUT TimeLimit 0:15', { cause: 'timedOut', exitCode: 124 }],
    ['TIMEOUT TimeLimit 0:9', { cause: 'timedOut', exitCode: 124, process: { signal: 9 } }],
    ['TIMEOUT TimeLimit 7:0', { cause: 'timedOut', exitCode: 124, process: { code: 7 } }],
    ['OUT_OF_MEMORY OutOfMemory 0:125', { cause: 'outOfMemory', exitCode: 1 }],
    ['NODE_FAIL NodeDown 0:0', { cause: 'lost', exitCode: 1 }],
    ['PREEMPTED None 0:0', { cause: 'preempted', exitCode: 1 }],
    ['CANCELLED None 0:15', { state: 'cancelled', startedAt: 1, cause: 'cancelled' }],
    ['CANCELLED None 0:9', { state: 'cancelled', startedAt: 1, cause: 'cancelled', process: { signal: 9 } }],
    ['CANCELLED None 3:0', { state: 'cancelled', startedAt: 1, cause: 'cancelled', process: { code: 3 } }],
    ['CANCELLED None 0:0', { state: 'cancelled', startedAt: 1, cause: 'cancelled', process: { code: 0 } }],
    ['CANCELLED JobHeldUser 0:0', { state: 'cancelled', waits: 'JobHeldUser' }],
    ['CANCELLED DependencyNeverSatisfied 0:0', { state: 'cancelled', cause: 'dependency' }],
    ['DEADLINE DeadLine 0:1', { state: 'cancelled', startedAt: 1, cause: 'deadline', process: { signal: 15 } }],
    ['CANCELLED DependencyNeverSatisfied 0:0', { state: 'skipped', cause: 'dependency' }],
  ])('%s', (words, facts) => expect(view(facts)).toBe(words));

  test.each<[string, string, string, Partial<TaskFacts>]>([
    ['COMPLETED', '0:0', 'COMPLETED 0:0', { state: 'completed' }],
    ['RUNNING', '0:0', 'RUNNING 0:0', { state: 'running' }],
    ['SUSPENDED', '0:0', 'SUSPENDED 0:0', { state: 'running', suspended: true }],
    ['CANCELLED by 7', '0:0', 'COMPLETED 0:0', { state: 'cancelled', startedAt: 1, process: { code: 0 } }],
    ['CANCELLED by 7', '0:0', 'FAILED 3:0', { state: 'cancelled', startedAt: 1, process: { code: 3 } }],
    ['CANCELLED by 7', '0:0', 'CANCELLED 0:9', { state: 'cancelled', startedAt: 1, process: { signal: 9 } }],
    ['CANCELLED', '0:0', 'COMPLETED 0:0', { state: 'skipped' }],
    ['FAILED', '3:0', 'FAILED 3:0', { cause: 'exited', process: { code: 3 } }],
    ['FAILED', '0:9', 'CANCELLED 0:9', { cause: 'signalled', process: { signal: 9 } }],
    ['FAILED', '0:53', 'CANCELLED 0:53', { cause: 'exited' }],
    ['TIMEOUT', '0:0', 'FAILED 7:0', { cause: 'timedOut', process: { code: 7 } }],
    ['TIMEOUT', '0:0', 'CANCELLED 0:15', { cause: 'timedOut' }],
    ['DEADLINE', '0:1', 'CANCELLED 0:15', { state: 'cancelled', cause: 'deadline', startedAt: 1 }],
    ['OUT_OF_MEMORY', '0:125', 'OUT_OF_MEMORY 0:125', { cause: 'outOfMemory' }],
    ['NODE_FAIL', '0:0', 'CANCELLED 0:0', { cause: 'lost' }],
  ])('accounted %s %s, step batch %s', (state, exit, batch, facts) => {
    const words = wordsOf(task(facts));
    expect([accountedState(words, 7), accountedExit(words)]).toEqual([state, exit]);
    expect(Object.values(batchWords(task(facts))).join(' ')).toBe(batch);
  });

  test('states', () => {
    expect([shortState('OUT_OF_MEMORY'), stateOrder('PENDING') < stateOrder('RUNNING')]).toEqual(['OOM', true]);
    expect(readStates('squeue', 'PD,pending,r,')).toEqual(['PENDING', 'PENDING', 'RUNNING']);
    expect(readStates('squeue', 'CD,F,CA,TO,NF,PR,S,CG,CF,BF,DL,OOM,RV,SE,RQ,RH,RS,RD,RF,SI,SO,ST')).toHaveLength(22);
    expect(readStates('squeue', 'All')).toHaveLength(24);
    expect(slurmWords(() => readStates('squeue', 'PD,all'), 'squeue')).toBe(
      'squeue: error: Invalid job state specified: all\nsqueue: error: Valid job states include: PENDING,RUNNING,SUSPENDED,COMPLETED,CANCELLED,FAILED,TIMEOUT,NODE_FAIL,PREEMPTED,BOOT_FAIL,DEADLINE,OUT_OF_MEMORY,COMPLETING,CONFIGURING,RESIZING,RESV_DEL_HOLD,REQUEUED,REQUEUE_FED,REQUEUE_HOLD,REVOKED,SIGNALING,SPECIAL_EXIT,STAGE_OUT,STOPPED\n\nrc=1',
    );
    expect(slurmWords(() => readStates('scancel', 'nope'), 'scancel')).toBe(
      'Invalid job state specified: nope\nValid job states are PENDING, RUNNING, and SUSPENDED\nrc=1',
    );
    expect(slurmWords(() => readStates('scancel', 'CD'), 'scancel')).toContain('Valid job states are PENDING');
    expect(slurmWords(() => readStates('sacct', 'nope'), 'sacct')).toBe(
      "sacct: fatal: unrecognized job state value 'nope'\nrc=1",
    );
    expect([reasonSentence('job_requeued_in_held_state'), reasonSentence('BeginTime')]).toEqual([
      'job requeued in held state',
      'BeginTime',
    ]);
  });

  test.each([
    ['afterok:7', ['pending'], 'afterok:7(unfulfilled)'],
    ['aftercorr:8', ['pending'], 'aftercorr:8_*(unfulfilled)'],
    ['after:7+5,after:8+3', ['pending', 'pending'], 'after:7+5(unfulfilled),after:8_*+3(unfulfilled)'],
    ['afterok:7?afterok:8', ['failed', 'pending'], 'afterok:7(failed)?afterok:8_*(unfulfilled)'],
    ['afterok:8_[1,3]', [], 'afterok:8_1(unfulfilled),afterok:8_3(unfulfilled)'],
    ['singleton,afterok:7', ['pending', 'satisfied'], 'singleton(unfulfilled)'],
    ['afterok:7', ['satisfied'], '(null)'],
  ] as const)('dependency %s %j', (text, states, shown) => {
    expect(dependencyText(parseDependency(text), states, (job) => job === 8)).toBe(shown);
    expect(dependencyText(undefined, [], () => false)).toBe('(null)');
  });
});
