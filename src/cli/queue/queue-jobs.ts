import { dirname, join, resolve } from 'node:path';
import type { JobSpecInput } from '../../api/job-spec.ts';
import type { QueueFile, QueueFileJob } from '../../api/queue-file.ts';
import type { WorkflowRequestInput } from '../../api/workflow.ts';
import { readScriptFile } from '../../config/read-script.ts';
import type { Client } from '../client.ts';
import { completeSpec } from '../submit/submit-job.ts';
import { readDirectory, type Work } from '../submit-input.ts';
import type { World } from '../world.ts';
import { collectingCommand, quoted } from './collecting-command.ts';

/** Where a queue comes from and where its results go. */
export interface QueuePlaces {
  /** Of the file, as errors call it. */
  readonly path: string;
  /** Absolute; over that of the file. */
  readonly results: string | undefined;
}

/** Before the first retry, when a queue says only that delays grow. */
const FIRST_DELAY_MS = 1_000;
/** Where results go when nobody says. */
const RESULTS = 'results';

/** The jobs of a queue as a workflow, with their scripts stored. Errors: FILE_NOT_FOUND, BAD_REQUEST for a directory that is none. */
export async function queueJobs(
  client: Client,
  file: QueueFile,
  places: QueuePlaces,
  world: World,
): Promise<WorkflowRequestInput['jobs']> {
  const base = dirname(resolve(world.cwd, places.path));
  const results = places.results ?? resolve(base, file.results ?? RESULTS);
  const jobs: WorkflowRequestInput['jobs'] = [];
  for (const [at, job] of file.jobs.entries()) {
    const cwd = readDirectory(resolve(base, job.cwd ?? '.'), `${places.path}: jobs[${at}].cwd`, world);
    const part = { ...specPart(file, job), cwd, umask: world.umask, user: world.userName() };
    const spec = await completeSpec(client, workOf(job, base, join(results, job.id)), part, {}, world);
    jobs.push({ key: job.id, spec, onFailure: job.on_failure ?? file.on_failure ?? 'continue' });
  }
  return jobs;
}

function specPart(file: QueueFile, job: QueueFileJob): Omit<JobSpecInput, 'run' | 'cwd'> {
  const { retry, depends_on: needs = [] } = job;
  const delayMs = retry?.delay ?? (retry?.backoff === 'exponential' ? FIRST_DELAY_MS : undefined);
  return {
    env: { ...file.env, ...job.env },
    ...(job.timeout === undefined ? {} : { timeLimitMs: job.timeout }),
    ...(file.timeout === undefined ? {} : { deadlineInMs: file.timeout }),
    ...(retry === undefined ? {} : { retries: retry.max_attempts - 1 }),
    ...(delayMs === undefined ? {} : { retryDelayMs: delayMs }),
    ...(retry?.backoff === undefined ? {} : { retryBackoff: retry.backoff }),
    ...(job.cpus === undefined ? {} : { cpus: job.cpus }),
    ...(job.memory === undefined ? {} : { memoryBytes: job.memory }),
    ...(job.gpus === undefined ? {} : { gpus: job.gpus }),
    ...(needs.length === 0 ? {} : { after: needs.map((need) => `afterok:@${need}`).join() }),
  };
}

function workOf(job: QueueFileJob, base: string, to: string): Work {
  const { command, script, args = [], result_paths: patterns } = job;
  const path = script === undefined ? undefined : resolve(base, script);
  if (patterns === undefined) {
    return path === undefined
      ? { kind: 'shell', text: command! }
      : { kind: 'script', ...readScriptFile(path), args: [...args] };
  }
  // A script whose results are collected runs from where it is.
  const line = path === undefined ? command! : [path, ...args].map(quoted).join(' ');
  return { kind: 'shell', text: collectingCommand(line, patterns, to) };
}
