import { join, resolve } from 'node:path';
import { paramText } from '../../core/params.ts';
import type { Attempt } from '../attempt.ts';
import type { CallingTask } from '../calls/attempt-calls.ts';
import type { RunRequest } from '../forker/types.ts';
import type { KnownJob } from '../job-book.ts';
import { DirectoryTarget } from '../outputs/directory-target.ts';
import { fillName } from '../outputs/output-name.ts';
import { S3Target } from '../outputs/s3-target.ts';
import { StagedOutput } from '../outputs/staged-output.ts';
import type { Grant } from '../queue.ts';
import { type DataTask, type NoTask, variablesOf } from './job-data.ts';
import { fillArgument, placeholdersIn, type Values } from './placeholders.ts';

/** EX_NOINPUT and EX_CANTCREAT of sysexits.h. */
const NO_INPUT = 66;
const NO_OUTPUT = 73;
/** As where a program cannot be run. */
const NO_COMMAND = 126;

/** Takes what an attempt needs; undefined for a job that is none of data. */
export function takeDataTask(job: KnownJob, grant: Grant): DataTask | NoTask | undefined {
  const row = job.params?.at(grant.position);
  if (row !== undefined && 'missing' in row) return { missing: row.missing, code: NO_COMMAND };
  if (job.data === undefined) return undefined;
  const part = job.data.parts?.take(grant.position);
  if (part !== undefined && 'missing' in part) return { missing: part.missing, code: NO_INPUT };
  const made = outputOf(job, grant, part?.batch);
  if (made === undefined || 'output' in made) return { part, output: made?.output, outputPath: made?.outputPath };
  void part?.clear();
  return made;
}

/** The output of an attempt, where its job has one that is kept in files. */
export function outputOf(
  { description, indices, prepared, data }: KnownJob,
  { jobId, position, attempt, fence }: CallingTask,
  batch = '',
): { readonly output: StagedOutput; readonly outputPath: string | undefined } | NoTask | undefined {
  const spec = description.output;
  if (spec?.to === undefined || data === undefined) return undefined;
  const name = fillName(spec.name, { index: indices.at(position), position, attempt, batch });
  const isStdout = spec.collect === 'stdout';
  const task = `${jobId}-${position}`;
  const target = spec.to.startsWith('s3://')
    ? new S3Target(
        spec.to,
        spec.s3 ?? {},
        variablesOf(prepared?.env ?? []),
        join(data.folder, 'outputs', `${task}-${fence}`),
      )
    : new DirectoryTarget(resolve(prepared?.cwd ?? description.cwd, spec.to), task, fence, description.umask);
  const output = new StagedOutput(target, isStdout ? name : undefined, description.umask);
  try {
    output.open();
  } catch (error) {
    return { missing: `the output cannot be written: ${(error as Error).message}`, code: NO_OUTPUT };
  }
  return { output, outputPath: isStdout ? undefined : join(output.folder, name) };
}

/** The same request with what the attempt has of its own; or why it cannot be run. */
export function dataRequest(
  request: RunRequest,
  { job, grant, data: task }: Pick<Attempt, 'job' | 'grant' | 'data'>,
): RunRequest | NoTask {
  if (task === undefined || 'missing' in task) return task ?? request;
  const { part, output, outputPath } = task;
  const { run, inputPath } = job.description;
  const values = valuesOf(job, grant, task);
  const isShell = run.kind === 'shell';
  const texts = isShell ? [run.text] : request.argv;
  const lacking = [...placeholdersIn(texts)].find((name) => values(name) === undefined && !name.startsWith('param:'));
  if (lacking !== undefined)
    return { missing: `the command has {${lacking}}, and ${whyNone(lacking)}`, code: NO_COMMAND };
  const own = {
    SPAWN_PART_FILE: part?.path,
    SPAWN_PART_RECORDS: part?.records,
    SPAWN_INPUT: part?.input,
    SPAWN_OUTPUT_DIR: output?.folder,
    SPAWN_OUTPUT_FILE: outputPath,
  };
  const env = Object.entries(own).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  return {
    ...request,
    env: [...(request.env ?? []), ...env],
    argv: isShell ? request.argv : request.argv.map((text) => fillArgument(text, values)),
    ...(part !== undefined && inputPath === undefined ? { stdin: part.path } : {}),
    ...(output?.stdoutPath === undefined || request.outputPath !== undefined ? {} : { outputPath: output.stdoutPath }),
  };
}

function valuesOf({ indices, params }: KnownJob, grant: Grant, { part, output, outputPath }: DataTask): Values {
  const row = params?.at(grant.position);
  const own = row !== undefined && 'params' in row ? row.params : {};
  const values: Readonly<Record<string, string | undefined>> = {
    part: part?.path,
    input: part?.input,
    index: String(indices.at(grant.position)),
    ordinal: String(grant.position),
    attempt: String(grant.attempt),
    output: outputPath,
    output_dir: output?.folder,
  };
  return (name) => (name.startsWith('param:') ? paramText(own[name.slice('param:'.length)]) : values[name]);
}

function whyNone(name: string): string {
  switch (name) {
    case 'part':
      return 'the job has no input';
    case 'input':
      return 'the part of the task is not one whole file of this machine';
    case 'output':
      return 'the output of the task is not one file that it makes: that needs output.to, and collect: files';
    default:
      return 'the job has no output.to';
  }
}

/** Nothing of it is wanted any more. */
export function clearData(data: Attempt['data']): void {
  if (data === undefined || 'missing' in data) return;
  void data.part?.clear();
  void data.output?.discard();
}
