import { afterAll, expect, it } from 'vitest';
import { makeSandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

const SIZE = 1_000_000;
const box = makeSandbox();
afterAll(() => box.close());

/** What a command of Slurm's prints; fails unless it ends with 0. */
async function say(...args: string[]): Promise<string> {
  const { code, out, err } = await box.spawn(args);
  expect([args.join(' '), code, err]).toEqual([args.join(' '), 0, '']);
  return out;
}

const sbatch = async (...args: string[]) => (await say('sbatch', '--parsable', '-o', '/dev/null', ...args)).trim();

it('shows an array of 1,000,000 in one line, each of its tasks with -r, and cancels what waits', {
  timeout: 60_000,
}, async () => {
  const id = await sbatch('-H', `--array=0-${SIZE - 1}%3`, '--wrap', 'true');
  expect(await say('squeue', '-h', '-o', '%i %t %r')).toBe(`${id}_[0-${SIZE - 1}%3] PD JobHeldUser\n`);
  const lines = (await say('squeue', '-h', '-r', '-j', id, '-o', '%i')).split('\n');
  expect([lines.length - 1, lines[0], lines.at(-2)]).toEqual([SIZE, `${id}_0`, `${id}_${SIZE - 1}`]);
  await say('scancel', `${id}_[7-9]`);
  expect(await say('squeue', '-h', '-j', id, '-o', '%i')).toBe(`${id}_[0-6,10-${SIZE - 1}%3]\n`);
  await say('scancel', '-t', 'PENDING', '-u', box.env.USER ?? String(process.getuid!()));
  expect(await say('squeue', '-h')).toBe('');
});

it('follows tasks from the line to their end, and reaches them by every kind of id', { timeout: 60_000 }, async () => {
  const id = await sbatch('--array=1-4%2', '-J', 'two of it', '--wrap', 'sleep 300');
  const states = () => say('squeue', '-h', '-t', 'all', '-n', 'two of it', '-S', 'i', '-o', '%i %t');
  await until('two that run', async () => (await states()) === `${id}_1 R\n${id}_2 R\n${id}_[3-4%2] PD\n`);
  const [raw] = (await say('squeue', '-h', '-j', `${id}_1`, '-o', '%A')).split('\n');
  await say('scancel', raw!);
  await say('scancel', '-b', '-s', 'USR1', `${id}_2`);
  await until(
    'their ends, and two more',
    async () => (await states()) === `${id}_1 CA\n${id}_2 F\n${id}_3 R\n${id}_4 R\n`,
  );
  expect(await say('squeue', '-h', '-j', `${id}_2`, '-t', 'all', '-O', 'ReasonList:20,exit_code:3')).toBe(
    '(JobLaunchFailure)  10 \n',
  );
  await say('scancel', '-n', 'two of it');
  await until('the end of all', async () => (await say('squeue', '-h', '-n', 'two of it')) === '');
});
