import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCli } from '../../../test/support/cli-world.ts';
import { SLURM_COMMANDS } from './registry.ts';
import { writeShims } from './shims.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn shims \'n\' "q" $x '));
});
afterEach(() => rmSync(folder, { recursive: true }));

const NAMES = SLURM_COMMANDS.map(({ name }) => name).sort();
const shims = (directory: string, PATH = '/nowhere') =>
  runCli(['slurm', 'shims', directory], { world: { cwd: folder, env: { PATH } } });

test('each is two lines that run the command with its words, whatever is in the paths', () => {
  const program = join(folder, 'program.sh');
  writeFileSync(program, '#!/bin/sh\nprintf "<%s>" "$SPAWN_SHIMS" "$@"\n');
  writeShims({ directory: folder, names: ['sbatch'], node: '/bin/sh', program });
  expect(readFileSync(join(folder, 'sbatch'), 'utf8').split('\n')).toHaveLength(3);
  const ran = spawnSync(join(folder, 'sbatch'), ['--wrap=a  b', '', "it's"], { encoding: 'utf8' });
  expect(ran.stdout).toBe(`<${folder}><sbatch><--wrap=a  b><><it's>`);
});

test('all commands come into the directory, again too, and what to put on PATH is said', async () => {
  const ran = await shims('bin');
  expect(ran).toMatchObject({ code: 0, err: '' });
  expect(readdirSync(join(folder, 'bin')).sort()).toEqual(NAMES);
  const line = ran.out.split('\n')[1]!.replace('Put them on PATH: ', '');
  const shown = spawnSync('/bin/sh', ['-c', `${line}; printf %s "$PATH"`], { encoding: 'utf8', env: { PATH: '/a b' } });
  expect(shown.stdout).toBe(`${join(folder, 'bin')}:/a b`);
  const again = await shims('bin', join(folder, 'bin/'));
  expect(again).toMatchObject({ code: 0, err: '' });
  expect(again.out).not.toContain('PATH');
});

test.each([
  ['a file', (path: string) => writeFileSync(path, '#!/bin/sh\nexec real-sbatch "$@"\n')],
  ['a directory', (path: string) => mkdirSync(path)],
])('%s of such a name is left alone, and nothing is written', async (_, make) => {
  make(join(folder, 'squeue'));
  const ran = await shims('.');
  expect(ran).toMatchObject({ code: 2, out: '' });
  expect(ran.err).toContain(`found ${join(folder, 'squeue')}; nothing was changed`);
  expect(readdirSync(folder)).toEqual(['squeue']);
});

test('a real Slurm on PATH is told of', async () => {
  const real = join(folder, 'real');
  mkdirSync(real);
  writeFileSync(join(real, 'sbatch'), 'ELF');
  chmodSync(join(real, 'sbatch'), 0o755);
  const warning = 'spawn: warning: there is another Slurm on PATH, which';
  expect((await shims('bin', real)).err).toBe(`${warning} comes first as PATH is now: ${join(real, 'sbatch')}\n`);
  const both = await shims('bin', `${join(folder, 'bin')}:${real}`);
  expect(both.err).toBe(`${warning} comes after these: ${join(real, 'sbatch')}\n`);
});

test.each([
  [['slurm', 'shims'], 'slurm: expected shims DIR, found "shims"; see'],
  [['slurm', 'shim', 'x'], 'slurm: expected shims DIR, found "shim" "x"; see'],
  [['slurm', 'shims', 'a:b'], 'expected a directory without ":" and control characters'],
  [['slurm', 'shims', 'a\nb'], 'expected a directory without ":" and control characters'],
  [['slurm', 'shims', '/dev/null/x'], 'expected a directory that can be written to'],
])('%j is refused', async (words, text) => {
  const ran = await runCli(words, { world: { cwd: folder } });
  expect(ran).toMatchObject({ code: 2, out: '' });
  expect(ran.err).toContain(text);
  expect(existsSync(join(folder, 'sbatch'))).toBe(false);
});
