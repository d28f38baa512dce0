import { expect, test } from 'vitest';
import { explainFailure } from './explain-failure.ts';

const ENOENT = { fence: 1, errno: 2, errorName: 'ENOENT' } as const;
const WHAT = { command: 'x', cwd: '/home/ada/x', files: [], input: undefined, elsewhere: undefined };

test('a directory that is not there: on another machine with what to do', () => {
  expect(explainFailure({ ...ENOENT, step: 'cwd' }, WHAT)).toEqual({
    text: 'cannot enter /home/ada/x: No such file or directory',
    code: 126,
    isUnstarted: true,
  });
  expect(explainFailure({ ...ENOENT, step: 'cwd' }, { ...WHAT, elsewhere: 'w2' })).toEqual({
    text: '/home/ada/x does not exist on worker w2 (another machine): put it on a shared file system, or submit with --stage',
    code: 126,
    isUnstarted: true,
  });
});

test('one that is there and may not be entered is no question of the machine', () => {
  const failed = { fence: 1, errno: 13, errorName: 'EACCES', step: 'cwd' } as const;
  expect(explainFailure(failed, { ...WHAT, elsewhere: 'w2' })?.text).toBe(
    'cannot enter /home/ada/x: Permission denied',
  );
});

test('a command that cannot be run was tried; files that cannot be opened keep it from that', () => {
  expect(explainFailure({ ...ENOENT, step: 'exec' }, WHAT)).toMatchObject({ code: 127, isUnstarted: false });
  for (const step of ['output', 'stdin'] as const) {
    expect(explainFailure({ ...ENOENT, step }, WHAT)).toMatchObject({ code: 126, isUnstarted: true });
  }
});

test('what is the machine’s fault is not explained to the task', () => {
  expect(explainFailure({ ...ENOENT, step: 'fork' }, WHAT)).toBeUndefined();
});
