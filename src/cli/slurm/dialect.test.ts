import { expect, test } from 'vitest';
import { runCli } from '../../../test/support/cli-world.ts';
import { SLURM_COMMANDS } from './registry.ts';

const NAMES = SLURM_COMMANDS.map(({ name }) => name);

test.each(NAMES)('%s tells how it is used, and its release', async (name) => {
  const help = await runCli([name, '--help']);
  expect(help).toMatchObject({ code: 0, err: '', calls: [] });
  expect(help.out).toContain(`Usage: ${name} `);
  expect(await runCli(['help', name])).toMatchObject({ code: 0, out: help.out });
  expect(await runCli([name, '-V'])).toMatchObject({ code: 0, out: 'slurm 22.05.8\n', err: '' });
});

test.each(NAMES)('%s says what each of its options does, in lines that fit', async (name) => {
  const { out } = await runCli([name, '--help']);
  expect(out.split('\n').filter((line) => line.length > 120)).toEqual([]);
  const acting = /\nOptions\n(.*?)\n\n|\nOptions\n(.*)$/s.exec(out)!;
  expect((acting[1] ?? acting[2])!.split('\n').filter((line) => /^ +(-\w, )?--\S+$/.test(line))).toEqual([]);
});

test.each(NAMES)('%s refuses an option that it does not know, as getopt does', async (name) => {
  const { code, out, err } = await runCli([name, '--nosuch']);
  expect([code, out]).toEqual([name === 'sbatch' || name === 'srun' ? 255 : 1, '']);
  expect(err.split('\n')[0]).toBe(`${name}: unrecognized option '--nosuch'`);
});

test.each([
  [false, ['sbatch', '--wrap=true'], true],
  [true, ['sbatch', '--wrap=true'], undefined],
  [false, ['sbatch', '-v', '--wrap=true'], undefined],
] as const)(
  'a coordinator is started without a word where programs read (terminal: %s, %j)',
  async (tty, argv, silent) => {
    const asked: unknown[] = [];
    const connect = async (quietly?: boolean) => {
      asked.push(quietly);
      throw new Error('asked');
    };
    await runCli(argv, { tty, world: { connect } });
    expect(asked).toEqual([silent]);
  },
);
