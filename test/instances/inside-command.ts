import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { nativeProgram } from '../../src/client/node/package-files.ts';
import { ended } from './inside-members.ts';

/** Before each test: the command `spored`, with files of an instance of its own and nothing else of one. */
export let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-spored-'));
  mkdirSync(join(folder, 'run'));
  mkdirSync(join(folder, 'etc'));
  symlinkSync(nativeProgram('instance'), join(folder, 'spored'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the command with the files of an instance in `folder`, as where there are no namespaces. */
export function begin(argv: readonly string[], env: Record<string, string> = {}) {
  return spawn(join(folder, 'spored'), argv, {
    cwd: folder,
    env: { PATH: '/usr/bin:/bin', SPAWN_RUN_DIR: join(folder, 'run'), SPAWN_ETC_DIR: join(folder, 'etc'), ...env },
  });
}
export const run = (argv: readonly string[], env: Record<string, string> = {}) => ended(begin(argv, env));

export function write(name: string, value: unknown): void {
  writeFileSync(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));
}
export const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Record<string, unknown>;
/** Where the completion file is, so that tests at the same time have one each. */
export const withCompletionFile = () =>
  write('etc/status.json', { on_complete: { completion_file: join(folder, 'complete') } });
