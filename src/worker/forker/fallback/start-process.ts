import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, closeSync, constants, openSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { RunCommand } from '../commands.ts';
import { UMASK_INHERIT } from '../protocol.ts';
import type { SpawnStep } from '../types.ts';
import type { FifoPool } from './fifo-pool.ts';
import { attempt, StartFailure } from './start-failure.ts';

export interface StartedProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Read ends of its stdout and stderr; null when they are discarded. */
  readonly outputs: readonly [number, number] | null;
}

/** Opening a FIFO would wait for its writer and with it everything else. */
function openStdin(run: RunCommand): number | 'ignore' {
  if (run.stdin === '') return 'ignore';
  const path = resolve(run.cwd, run.stdin);
  const flags = statSync(path).isFIFO() ? constants.O_RDONLY | constants.O_NONBLOCK : constants.O_RDONLY;
  return openSync(path, flags);
}

/** Node tells one error for a missing directory and a missing program. */
function stepOf(error: NodeJS.ErrnoException, cwd: string): SpawnStep {
  if (error.code === 'EAGAIN' || error.code === 'ENOMEM') return 'fork';
  if (error.code === 'EMFILE' || error.code === 'ENFILE') return 'pipe';
  try {
    if (!statSync(cwd).isDirectory()) return 'cwd';
    accessSync(cwd, constants.X_OK);
    return 'exec';
  } catch {
    return 'cwd';
  }
}

/**
 * Starts the process of a task in its own session and group.
 * @throws StartFailure
 */
export async function startProcess(
  run: RunCommand,
  env: NodeJS.ProcessEnv,
  pipes: FifoPool | null,
): Promise<StartedProcess> {
  const toClose: number[] = [];
  const opened: number[] = [];
  try {
    const stdin = attempt('stdin', () => openStdin(run));
    if (stdin !== 'ignore') toClose.push(stdin);
    const ends = pipes === null ? [] : [0, 1].map(() => attempt('pipe', () => take(pipes)));
    const child = launch([stdin, ends[0]?.write ?? 'ignore', ends[1]?.write ?? 'ignore']);
    if (child.pid === undefined) {
      const [error] = (await once(child, 'spawn').catch((reason: unknown) => [reason])) as [NodeJS.ErrnoException];
      throw new StartFailure(stepOf(error, run.cwd), error);
    }
    child.on('error', () => {});
    const [out, err] = opened.splice(0);
    return { child, pid: child.pid, outputs: out === undefined || err === undefined ? null : [out, err] };
  } finally {
    for (const fd of [...toClose, ...opened]) closeSync(fd);
  }

  function launch(stdio: (number | 'ignore')[]): ChildProcess {
    const [program, ...args] = run.argv;
    // Only a process has a umask, so ours is changed for the moment of the fork.
    const inherited = run.umask === UMASK_INHERIT ? null : process.umask(run.umask & 0o777);
    try {
      return spawn(program!, args, { cwd: run.cwd, env, detached: true, stdio });
    } catch (error) {
      throw new StartFailure(stepOf(error as NodeJS.ErrnoException, run.cwd), error);
    } finally {
      if (inherited !== null) process.umask(inherited);
    }
  }

  function take(pool: FifoPool) {
    const ends = pool.take();
    opened.push(ends.read);
    toClose.push(ends.write);
    return ends;
  }
}
