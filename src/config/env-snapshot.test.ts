import { expect, test } from 'vitest';
import { envSnapshot } from './env-snapshot.ts';

function entries(env: Record<string, string | undefined>): string[] {
  const text = new TextDecoder().decode(envSnapshot(env, '/work/dir'));
  expect(text.endsWith('\0')).toBe(true);
  return text.slice(0, -1).split('\0');
}

test('keeps every variable, sorted, with newlines and equal signs as they are', () => {
  expect(entries({ PATH: '/bin', EMPTY: '', 'BASH_FUNC_f%%': '() {\n a=1\n}', GONE: undefined })).toEqual([
    'BASH_FUNC_f%%=() {\n a=1\n}',
    'EMPTY=',
    'PATH=/bin',
  ]);
});

test('drops what describes an enclosing task, and the path of the last program', () => {
  const enclosing = {
    SPAWN_TASK_ID: '3_1',
    SLURM_JOB_ID: '9',
    JOB_ARRAY_INDEX: '1',
    TASK_ARRAY_SIZE: '5',
    _: '/bin/x',
  };
  expect(entries({ ...enclosing, SLURMX: 'kept', HOME: '/root' })).toEqual(['HOME=/root', 'SLURMX=kept']);
});

test('leaves out tokens and what else is for this terminal alone', () => {
  const secret = `spawn_1_${'x'.repeat(43)}`;
  const files = {
    SPAWN_TOKEN_FILE: '/home/ada/token',
    SPAWN_CA_FILE: '/ca.pem',
    SPAWN_TLS_KEY: '/k',
    SPAWN_LISTEN: ':1',
  };
  expect(entries({ SPAWN_TOKEN: secret, ...files, SPAWN_SERVER: 'https://x' })).toEqual(['SPAWN_SERVER=https://x']);
});

test('keeps the way to the coordinator, with paths that hold in any directory', () => {
  expect(entries({ SPAWN_DATA_DIR: 'data', SPAWN_RUNTIME_DIR: '/run/s', SPAWN_SERVER: 'https://x' })).toEqual([
    'SPAWN_DATA_DIR=/work/dir/data',
    'SPAWN_RUNTIME_DIR=/run/s',
    'SPAWN_SERVER=https://x',
  ]);
});

test('has the same bytes for the same variables in another order', () => {
  expect(envSnapshot({ A: '1', B: '2' }, '/')).toEqual(envSnapshot({ B: '2', A: '1' }, '/'));
});
