import { spawn } from 'node:child_process';
import { SpawnError } from '../../core/errors.ts';
import { instanceProgram } from './sandbox-programs.ts';

const KEPT_CHARS = 4_096;

/** What the launcher could not do: a step of native/instance, with words for people. */
export interface LaunchFailure {
  readonly step: string;
  readonly why: string;
}

/**
 * Starts the sandbox that was prepared in a directory.
 *
 * @returns nothing when it is up, or what failed; nothing of it is left then
 * @throws SpawnError INTERNAL when the launcher itself cannot be run
 */
export function launchSandbox(directory: string, programs: string): Promise<LaunchFailure | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn(instanceProgram(programs), ['start', directory], {
      argv0: 'spawn-instance',
      cwd: '/',
      env: {},
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    const take = (piece: string) => {
      said = (said + piece).slice(-KEPT_CHARS);
    };
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    child.once('error', (error) => reject(new SpawnError('INTERNAL', { why: error.message }, { cause: error })));
    child.once('close', (code, signal) => {
      const [result, step = 'start', , why] = said.trimEnd().split('\t');
      if (code === 0 && result === 'ready') resolve(undefined);
      else resolve({ step, why: why ?? `the launcher ended with ${signal ?? code}: ${said.trim()}` });
    });
  });
}
