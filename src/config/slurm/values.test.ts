import { describe, expect, test } from 'vitest';
import { slurmWords } from '../../../test/support/slurm-words.ts';
import { exportFileVariables, exportOption } from './export.ts';
import { gpusOption, gresOption } from './gres.ts';
import { mailTypeOption } from './mail.ts';
import { memoryOption } from './memory.ts';
import { layoutOf, nodesOption } from './nodes.ts';
import { countOption, niceOption } from './numbers.ts';
import { signalOption, slurmSignal } from './signal.ts';
import { slurmTimeLimit, timeLimitOption } from './time-limit.ts';

// Answers of Slurm 22.05.8.
describe('--time', () => {
  const MINUTE = 60_000;
  test.each([
    ['5', 5],
    ['0', 0],
    ['5:30', 6],
    ['1:02:03', 63],
    ['1-2', 26 * 60],
    ['1-2:3', 26 * 60 + 3],
    ['1-2:3:4', 26 * 60 + 4],
    ['0:30', 1],
    ['0:01', 1],
    ['90:00', 90],
    ['1-25', 49 * 60],
    ['1-', 1_440],
    ['05', 5],
    ['1:60', 2],
    ['0:0:0', 0],
    ['infinite', 0],
    ['UNLIMITED', 0],
    ['-1', 0],
  ])('%s is %i minutes', (text, minutes) => expect(timeLimitOption(text, 'time')).toBe(minutes * MINUTE));

  test.each(['nope', '5m', '', '1:2:3:4', '5.5', ' 5', '5 ', '+5', '5:', ':5', '1-2-', '1::2', '1-:5', '99999999999'])(
    'not %j',
    (text) => {
      expect(slurmWords(() => timeLimitOption(text, 'time'))).toBe(
        'sbatch: error: Invalid --time specification\nrc=255',
      );
      expect(slurmTimeLimit(text)).toBeUndefined();
    },
  );
});

describe('--mem', () => {
  test.each([
    ['10', 10],
    ['1G', 1_024],
    ['5g', 5_120],
    ['1T', 1_048_576],
    ['10K', 1],
    ['10Kb', 1],
    ['1500K', 2],
    ['100MB', 100],
    [' 10', 10],
    ['+10', 10],
    ['0', 0],
  ])('%j is %iM', (text, mib) => expect(memoryOption(text, 'mem')).toBe(mib * 1_048_576));

  test.each(['x', '1.5G', '-1', '10KiB', '10B', '10P', '', '10MM', '10 ', '99999999999999999999', '999999999999999T'])(
    'not %j',
    (text) =>
      expect(slurmWords(() => memoryOption(text, 'mem-per-cpu'))).toBe(
        'sbatch: error: Invalid --mem-per-cpu specification\nrc=255',
      ),
  );
});

describe('numbers', () => {
  test('counts', () => {
    expect([countOption('5', 'ntasks'), countOption('+5', 'ntasks'), countOption(' 5', 'ntasks')]).toEqual([5, 5, 5]);
    for (const text of ['0', '-1', 'x', '2.5', '5k', '1e2', '', '99999999999']) {
      expect(slurmWords(() => countOption(text, 'cpus-per-task'))).toBe(
        `sbatch: error: Invalid numeric value "${text}" for --cpus-per-task.\nrc=1`,
      );
    }
  });

  test('--nice', () => {
    expect([undefined, '5', 'x', '', '-7', '+5', '5x'].map(niceOption)).toEqual([100, 5, 0, 0, -7, 5, 5]);
    expect(slurmWords(() => niceOption('9999999999'))).toBe(
      'sbatch: error: Invalid --nice value, out of range (+/- 2147483645)\nrc=255',
    );
  });
});

describe('--nodes', () => {
  test('reads counts', () => {
    expect(nodesOption('3')).toEqual({ min: 3, max: 3 });
    expect(nodesOption('2-4')).toEqual({ min: 2, max: 4 });
    expect(nodesOption('1k')).toEqual({ min: 1_024, max: 1_024 });
    expect(slurmWords(() => nodesOption('2-1'))).toBe(
      'sbatch: error: Maximum node count 1 is less than minimum node count 2\nrc=255',
    );
  });

  test.each([
    ['x', 'x'],
    ['1-x', 'x'],
    ['1-2-3', '2-3'],
    ['0x10', '0x10'],
    ['', ''],
    ['-1', '-1'],
    ['3,5-7', '3,5'],
  ])('not %j', (text, part) =>
    expect(slurmWords(() => nodesOption(text))).toBe(`sbatch: error: "${part}" is not a valid node count\nrc=255`),
  );

  test('says with --ntasks how a job is laid out', () => {
    const one = { min: 1, max: 1 };
    expect(layoutOf({})).toEqual({ nodes: one, tasks: 1, cpusPerTask: 1 });
    expect(layoutOf({ tasksPerNode: 2 })).toEqual({ nodes: one, tasks: 2, cpusPerTask: 1 });
    expect(layoutOf({ tasks: 4, tasksPerNode: 2 })).toMatchObject({ nodes: { min: 2, max: 2 }, tasks: 4 });
    expect(layoutOf({ nodes: { min: 4, max: 4 } })).toMatchObject({ nodes: { min: 4, max: 4 }, tasks: 4 });
    expect(layoutOf({ nodes: { min: 1, max: 2 } })).toMatchObject({ nodes: { min: 1, max: 2 }, tasks: 1 });
    expect(layoutOf({ nodes: { min: 0, max: 0 }, tasks: 3, cpusPerTask: 2 })).toEqual({
      nodes: { min: 1, max: 3 },
      tasks: 3,
      cpusPerTask: 2,
    });
  });
});

describe('--gres and --gpus', () => {
  test.each([
    ['gpu', { gpus: 1, resources: {} }],
    ['gpu:2', { gpus: 2, resources: {} }],
    ['gpu=2', { gpus: 2, resources: {} }],
    ['gres:gpu:1', { gpus: 1, resources: {} }],
    ['gpu:a100:2', { gpus: 2, gpuType: 'a100', resources: {} }],
    ['gpu:x', { gpus: 1, gpuType: 'x', resources: {} }],
    ['gpu:0', { gpus: 0, resources: {} }],
    ['gpu:1,shard:2,shard:1k', { gpus: 1, resources: { shard: 1_026 } }],
    ['none', { gpus: 0, resources: {} }],
    ['', { gpus: 0, resources: {} }],
  ])('--gres=%s', (text, gres) => expect(gresOption(text)).toEqual(gres));

  test('bad ones', () => {
    expect(slurmWords(() => gresOption('gpu:-1'))).toBe(
      'sbatch: error: Batch job submission failed: Invalid generic resource (gres) specification\nrc=1',
    );
    expect(slurmWords(() => gresOption('gpu:9999999999'))).not.toBe('accepted');
    expect(slurmWords(() => gpusOption('1x', 'gpus'))).toBe('sbatch: error: Invalid --gpus specification\nrc=255');
  });

  test('--gpus', () => {
    expect(gpusOption('2', 'gpus')).toEqual({ gpus: 2, resources: {} });
    expect(gpusOption('a100:1,v100:2', 'gpus')).toEqual({ gpus: 3, gpuType: 'v100', resources: {} });
    expect(gpusOption('x', 'gpus')).toEqual({ gpus: 1, gpuType: 'x', resources: {} });
  });
});

describe('--signal', () => {
  test.each([
    ['USR1', { number: 10, beforeMs: 60_000, toShell: false }],
    ['B:USR1@60', { number: 10, beforeMs: 60_000, toShell: true }],
    ['R:USR1@60', { number: 10, beforeMs: 60_000, toShell: false }],
    ['RB:1', { number: 1, beforeMs: 60_000, toShell: true }],
    ['b: SIGUSR2@30', { number: 12, beforeMs: 30_000, toShell: true }],
    ['10@5', { number: 10, beforeMs: 5_000, toShell: false }],
    ['USR1@65535', { number: 10, beforeMs: 65_535_000, toShell: false }],
    ['USR1@', { number: 10, beforeMs: 1, toShell: false }],
  ])('%s', (text, signal) => expect(signalOption(text)).toEqual(signal));

  test.each(['NOPE@5', 'USR1@x', 'USR1@99999', '0', 'R:B:1', 'RTMIN', 'CHLD', '10x', 'USR1@-1', 'USR1@60s', ''])(
    'not %s',
    (text) =>
      expect(slurmWords(() => signalOption(text))).toBe('sbatch: error: Invalid --signal specification\nrc=255'),
  );

  test('names are those of Slurm', () => {
    expect([slurmSignal('sigterm'), slurmSignal('9'), slurmSignal('99'), slurmSignal('WINCH')]).toEqual([
      15,
      9,
      undefined,
      undefined,
    ]);
  });
});

describe('--mail-type', () => {
  test.each([
    ['END,fail', ['END', 'FAIL']],
    ['ALL', ['BEGIN', 'END', 'FAIL', 'REQUEUE', 'INVALID_DEPEND', 'STAGE_OUT']],
    ['END,FAIL,ARRAY_TASKS', ['END', 'FAIL', 'ARRAY_TASKS']],
    ['TIME_LIMIT_50,,', ['TIME_LIMIT_50']],
    ['none,END', []],
  ])('%s', (text, types) => expect(mailTypeOption(text)).toEqual(types));

  test.each(['NOPE', '', ' END', 'TIME_LIMIT_70'])('not %j', (text) =>
    expect(slurmWords(() => mailTypeOption(text))).toBe('sbatch: error: Invalid --mail-type specification\nrc=255'),
  );
});

describe('--export', () => {
  const env = { XA: '1', XB: 'two words', XC: 'a,b', EMPTY: '', NONE: 'x' };
  test.each([
    ['ALL', 'all', {}],
    ['all', 'all', {}],
    ['NONE', 'none', {}],
    ['nil', 'none', {}],
    ['', 'none', {}],
    ['XA,XB', 'none', { XA: '1', XB: 'two words' }],
    ['XA,NEW=5', 'none', { XA: '1', NEW: '5' }],
    ['XA,ALL', 'all', { XA: '1' }],
    ['ALL,XA=over', 'all', { XA: 'over' }],
    ['NONE,XA', 'none', { XA: '1' }],
    ['NEW=a b', 'none', { NEW: 'a b' }],
    ["NEW='a,b',XA", 'none', { NEW: "'a,b'", XA: '1' }],
    ['NEW="a,b', 'none', { NEW: '"a,b' }],
    ['NEW=', 'none', { NEW: '' }],
    ['EMPTY', 'none', { EMPTY: '' }],
    ['NOSUCH', 'none', {}],
    ['=5', 'none', {}],
    ['NEW=a=b', 'none', { NEW: 'a=b' }],
  ])('%s', (text, base, variables) => {
    const shown = /^all$/i.test(text) ? {} : { shown: text };
    expect(exportOption(text, env)).toEqual({ base, variables, ...shown });
  });

  test('of a file', () => {
    const bytes = new TextEncoder().encode('XA=9\0NEW=z=y\nq\0=no\0none\0');
    expect(exportFileVariables(bytes)).toEqual({ XA: '9', NEW: 'z=y\nq' });
  });
});
