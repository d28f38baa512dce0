import type { JobForWorker } from '../../api/session.ts';
import type { StagedOutput } from '../outputs/staged-output.ts';
import type { PartFile, PartFiles } from './part-files.ts';

/** Whether braces in the command of a job stand for something of its tasks. */
export function hasPlaceholders({ input, output, params, paramTable }: JobForWorker): boolean {
  return [input, output, params, paramTable].some((field) => field !== undefined);
}

/** What tasks of a data job have here. */
export interface JobData {
  /** Undefined when they read none. */
  readonly parts: PartFiles | undefined;
  /** Of the job, for what is not kept beside its output. */
  readonly folder: string;
}

/** What one attempt of a data job has of its own: a part, an output, or both. */
export interface DataTask {
  readonly part: PartFile | undefined;
  readonly output: StagedOutput | undefined;
  /** Path of the file that its output is, where it is one file that the task makes. */
  readonly outputPath: string | undefined;
}

/** Why an attempt cannot be run: for its log, and its exit code. */
export interface NoTask {
  readonly missing: string;
  readonly code: number;
}

/** `NAME=value` of each variable, by its name, over those of this process: what references to secrets may name. */
export function variablesOf(env: readonly string[]): Readonly<Record<string, string | undefined>> {
  const own = env.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]);
  return { ...process.env, ...Object.fromEntries(own) };
}
