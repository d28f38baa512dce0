import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { collectingCommand } from './collecting-command.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-queue-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function run(command: string, patterns: readonly string[]) {
  const to = join(folder, "the job's results");
  const ran = spawnSync('/bin/sh', ['-c', collectingCommand(command, patterns, to)], {
    cwd: folder,
    env: { PATH: process.env.PATH, SPAWN_FENCE: '7' },
    encoding: 'utf8',
  });
  return { code: ran.status, err: ran.stderr, out: ran.stdout, to };
}

test('files are copied as they lie under their directory, and what was there before is gone', () => {
  run('mkdir -p old; touch old/x', ['old/x']);
  const { code, to, out } = run(
    `mkdir -p "out put/deep"; echo 1 >"out put/deep/a b.csv"; echo 2 >'$x.csv'; cat <<END # a comment
hello
END
# the end`,
    ['out put/*/*.csv', '$x.csv'],
  );
  expect([code, out]).toEqual([0, 'hello\n']);
  expect(readFileSync(join(to, 'out put/deep/a b.csv'), 'utf8')).toBe('1\n');
  expect(readdirSync(to).toSorted()).toEqual(['$x.csv', 'out put']);
  expect(readdirSync(folder).filter((name) => name.includes('draft'))).toEqual([]);
});

test('a result that is missing fails the job, and nothing appears', () => {
  const { code, err, to } = run('touch a', ['a', '*.csv']);
  expect([code, err]).toEqual([1, 'spawn: expected the result *.csv, found none\n']);
  expect(existsSync(to)).toBe(false);
  expect(readdirSync(folder)).toEqual(['a']);
});

test('a command that fails has its own exit code', () => {
  expect(run('touch a; exit 3', ['a'])).toMatchObject({ code: 3, err: '' });
  expect(run('kill -TERM $$', ['a']).code).toBe(null);
});

test('names are never read as words of the shell', () => {
  const { code } = run('touch "a;touch b"', ['a;touch b', '`touch c`']);
  expect(code).toBe(1);
  expect(readdirSync(folder)).toEqual(['a;touch b']);
});
