import { expect, test } from 'vitest';
import { JOB_VARIABLES, TASK_VARIABLES } from '../worker/environment.ts';
import { envVariable } from './submit-input.ts';

test.each([...JOB_VARIABLES, ...TASK_VARIABLES])('--env %s is refused: each task gets its own', (name) => {
  expect(() => envVariable(`${name}=x`, '--env')).toThrow(
    '--env: expected a variable that spawn does not set for each task',
  );
});

test.each(['SPAWN_SERVER', 'SPAWN_DATA_DIR', 'SPAWN_RUNTIME_DIR', 'SLURM_CONF', 'OLDPWD', 'JOB', 'SPAWNED'])(
  '--env %s is taken',
  (name) => {
    expect(envVariable(`${name}=x`, '--env')({})).toEqual([name, 'x']);
  },
);

test('a name alone takes its present value, also an empty one', () => {
  expect(envVariable('A', '--env')({ A: '' })).toEqual(['A', '']);
  expect(() => envVariable('A', '--env')({})).toThrow('--env: expected a variable that is set here, or K=V, found "A"');
});
