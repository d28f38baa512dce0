import { spawn } from 'node:child_process';
import { appendFile } from 'node:fs';
import { join } from 'node:path';
import { IN_RUN, IN_SANDBOX } from './sandbox-paths.ts';
import { instanceProgram } from './sandbox-programs.ts';

/** The end of what a command said; all of it is in the log. */
const KEPT_CHARS = 65_536;

interface RunParts {
  readonly directory: string;
  readonly programs: string;
  readonly command: string;
  readonly timeoutMs: number;
}

/** Runs a shell command in a sandbox through its exec socket. Its output goes to spawn.log there, and its end to the caller. */
export function runInSandbox({
  directory,
  programs,
  command,
  timeoutMs,
}: RunParts): Promise<{ code: number | null; output: string }> {
  const socket = join(directory, IN_SANDBOX.run, IN_RUN.execSocket);
  const log = join(directory, IN_SANDBOX.log, 'spawn.log');
  return new Promise((resolve, reject) => {
    const args = ['exec', '--socket', socket, '--', '/bin/sh', '-c', command];
    const child = spawn(instanceProgram(programs), args, {
      argv0: 'instance',
      cwd: '/',
      env: {},
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const take = (piece: string) => {
      output = (output + piece).slice(-KEPT_CHARS);
      appendFile(log, piece, () => {});
    };
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    // The init ends the command when its client goes. What the command has left in the background may hold the pipes open.
    const late = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    child.once('error', reject);
    child.once('exit', (code) => {
      clearTimeout(late);
      setImmediate(() => {
        child.stdout.destroy();
        child.stderr.destroy();
        resolve({ code, output });
      });
    });
  });
}
