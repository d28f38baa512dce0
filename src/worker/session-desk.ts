import { existsSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { nativeProgram } from '../client/node/package-files.ts';
import type { Attempt } from './attempt.ts';
import type { Attempts } from './attempts.ts';
import type { AttemptsOptions } from './attempts-options.ts';
import type { CallingTask } from './calls/attempt-calls.ts';
import { socketPath } from './calls/call-socket.ts';
import { callsFolder, TaskDesk } from './calls/task-desk.ts';
import type { TaskOutput } from './calls/task-output.ts';
import type { Place } from './environment.ts';
import type { Forker } from './forker/types.ts';
import type { JobBook } from './job-book.ts';
import type { Outbox, PendingEnd } from './outbox.ts';
import { outputOf } from './parts/data-task.ts';
import type { DataTask } from './parts/job-data.ts';
import type { SessionOptions } from './session-options.ts';

/** What a desk needs of its session. */
export interface DeskWiring {
  readonly logDir: string;
  readonly attempts: Attempts;
  readonly jobs: JobBook;
  readonly outbox: Outbox;
  readonly forker: () => Forker | undefined;
  /** There is something to say. */
  readonly onChange: () => void;
  readonly onEnd: (end: PendingEnd, jobId: number) => void;
}

/** Undefined for a bound session: what runs in an instance asks its agent. */
export function openDesk(options: SessionOptions, wiring: DeskWiring): TaskDesk | undefined {
  const { client, hello, marker, dataDir, bound, log } = options;
  if (bound !== undefined) return undefined;
  const { attempts, jobs, outbox, forker, onChange, onEnd, logDir } = wiring;
  return new TaskDesk({
    ...{ client, sessionId: hello.sessionId, folder: callsFolder(dataDir, marker), logDir, log },
    taskOf: (fence) => attempts.find(fence)?.grant,
    isHeld: (fence) => outbox.held.has(fence),
    outputOf: (task) => dataOf(attempts.find(task.fence))?.output ?? hostedOutput(jobs, task),
    onProgress: (progress) => {
      outbox.progress(progress);
      onChange();
    },
    onPlanned: (plan) => outbox.planned(plan),
    onStalled: (fence) => attempts.stall(forker(), fence),
    onEnd: (end, jobId) => {
      onEnd(end, jobId);
      onChange();
    },
  });
}

function dataOf(attempt: Attempt | undefined): DataTask | undefined {
  const data = attempt?.data;
  return data === undefined || 'missing' in data ? undefined : data;
}

/** Of a task that a host runs: made when it emits its first file. */
function hostedOutput(jobs: JobBook, task: CallingTask): TaskOutput | undefined {
  const job = jobs.get(task.jobId);
  const made = job?.description.run.kind === 'handler' ? outputOf(job, task) : undefined;
  if (made !== undefined && 'missing' in made) throw new Error(made.missing);
  return made?.output;
}

/** What tasks are told of the desk; undefined for a bound session. */
export function callsPlace({ marker, dataDir, bound }: SessionOptions): Place['calls'] {
  if (bound !== undefined) return undefined;
  const programs = linkPrograms(dataDir);
  return { socket: socketPath(callsFolder(dataDir, marker)), ...(programs === undefined ? {} : { programs }) };
}

/** What attempts tell, with the desk beside them where there is one. */
export function deskCallbacks(
  desk: () => TaskDesk | undefined,
  outbox: Outbox,
  sayEnd: DeskWiring['onEnd'],
): Pick<AttemptsOptions, 'secretOf' | 'onStarted' | 'onEnded' | 'onSuspended'> {
  return {
    secretOf: (fence) => desk()?.secretOf(fence),
    onStarted: (start, { job }) => {
      outbox.started(start);
      desk()?.started(start.fence, job.description.heartbeatMs);
    },
    onEnded: (end, attempt) => {
      const own = desk();
      const task = dataOf(attempt);
      if (own === undefined) sayEnd(end, attempt.grant.jobId);
      else own.ended(end, attempt.grant, task?.output);
      void task?.part?.clear();
    },
    onSuspended: (fence, on) => desk()?.suspend(fence, on),
  };
}

/** A directory with nothing but the `spored` that is a small program; undefined where there is none. */
function linkPrograms(dataDir: string): string | undefined {
  const program = nativeProgram('instance');
  if (!existsSync(program)) return undefined;
  const folder = join(dataDir, 'bin');
  const path = join(folder, 'spored');
  try {
    if (linkedTo(path) === program) return folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const draft = `${path}.${process.pid}`;
    rmSync(draft, { force: true });
    symlinkSync(program, draft);
    renameSync(draft, path);
    return folder;
  } catch {
    // On a full disk tasks find the one of the package, which does the same more slowly.
    return undefined;
  }
}

function linkedTo(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** Where parts of data jobs are, and outputs on their way to a storage. */
export function dataFolder({ dataDir, marker, bound }: SessionOptions): string | undefined {
  return bound === undefined ? join(dataDir, 'data', marker) : undefined;
}

/** Removes the sockets and the data of all sessions but those that are to stay. */
export async function removeCallFolders(directory: string, stays: (marker: string) => Promise<boolean>): Promise<void> {
  for (const folder of [callsFolder(directory, ''), join(directory, 'data')]) {
    for (const marker of existsSync(folder) ? readdirSync(folder) : []) {
      if (!(await stays(marker))) await rm(join(folder, marker), { recursive: true, force: true }).catch(() => {});
    }
  }
}
