import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCli } from '../../../../test/support/cli-world.ts';
import { SpawnError } from '../../../core/errors.ts';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'spawn-write-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

const SCRIPT = '#!/bin/sh\nexit 0\n';
const ERRORS: Readonly<Record<string, SpawnError>> = {
  '13': new SpawnError('NO_SCRIPT', { ref: '13' }),
  '14': new SpawnError('NOT_PERMITTED', { action: 'read the script of job 14' }),
  '99': new SpawnError('JOB_NOT_FOUND', { ref: '99' }),
};

const write = (words: string, script = SCRIPT) =>
  runCli(['scontrol', 'write', 'batch_script', ...words.split(' ')], {
    client: {
      script: async (ref: string) => {
        if (ERRORS[ref] !== undefined) throw ERRORS[ref];
        return Buffer.from(script);
      },
    },
    world: { cwd },
  });

test.each([
  ['12', 'slurm-12.sh'],
  ['12_3', 'slurm-12.sh'],
  ['12 x.sh', 'x.sh'],
])('%s', async (words, file) => {
  const ran = await write(words);
  expect(ran).toMatchObject({ code: 0, out: `batch script for job 12 written to ${file}\n`, err: '' });
  expect(ran.calls).toEqual([['script', '12']]);
  expect(readFileSync(join(cwd, file), 'utf8')).toBe(SCRIPT);
});

test('standard output gets it as it is, and its last line an end', async () => {
  expect((await write('12 -')).out).toBe(SCRIPT);
  expect((await write('12 -', 'exit')).out).toBe('exit\n');
  expect(readdirSync(cwd)).toEqual([]);
});

// The words are those of scontrol of Slurm 22.05.8, and so is the exit code.
test.each([
  ['99', 'job script retrieval failed: Invalid job id specified\n'],
  ['abc', 'job script retrieval failed: Invalid job id specified\n'],
  ['../../x', 'job script retrieval failed: Invalid job id specified\n'],
  ['13 -', 'job script retrieval failed: Job script not specified\n'],
  ['14', 'job script retrieval failed: Invalid user id\n'],
  ['12 no/x', 'failed to open file `no/x`: No such file or directory\n'],
  ['12 .', 'failed to open file `.`: Is a directory\n'],
])('%s', async (words, err) => {
  expect(await write(words)).toMatchObject({ code: 0, out: '', err });
  expect(readdirSync(cwd)).toEqual([]);
});

test('a link with the name that it would choose is not followed, one that was named is', async () => {
  symlinkSync(join(cwd, 'elsewhere'), join(cwd, 'slurm-12.sh'));
  expect(await write('12')).toMatchObject({
    code: 0,
    out: '',
    err: 'failed to open file `slurm-12.sh`: Too many levels of symbolic links\n',
  });
  expect(existsSync(join(cwd, 'elsewhere'))).toBe(false);
  expect((await write('12 slurm-12.sh')).out).toBe('batch script for job 12 written to slurm-12.sh\n');
  expect(readFileSync(join(cwd, 'elsewhere'), 'utf8')).toBe(SCRIPT);
});
