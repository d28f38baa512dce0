import type { JobForWorker } from '../api/session.ts';
import { isSpawnError } from '../core/errors.ts';
import { IndexSet } from '../core/index-set.ts';
import { Backoff } from './backoff.ts';
import { jobEnvironment, minimalEnvironment } from './environment.ts';
import type { JobFiles } from './job-files.ts';

/** How the tasks of a job are started. */
export interface PreparedJob {
  readonly argv: readonly string[];
  /** Shared by all its tasks. */
  readonly env: readonly string[];
  /** Its files cannot be had: what the log of each task shall say. */
  readonly missing?: string;
}

export interface KnownJob {
  readonly description: JobForWorker;
  readonly indices: IndexSet;
  /** Undefined until its files are here. */
  prepared: PreparedJob | undefined;
}

export interface JobBookOptions {
  readonly files: JobFiles;
  /** What `SPAWN_SESSION` shall be. */
  readonly session: string;
  readonly onPrepared: (jobId: number) => void;
  readonly onFailed: (error: unknown) => void;
  /** Ends tries that are under way. */
  readonly signal: AbortSignal;
}

/** The jobs of which a session knows the description, and what their tasks need. */
export class JobBook {
  readonly #options: JobBookOptions;
  readonly #jobs = new Map<number, KnownJob>();

  constructor(options: JobBookOptions) {
    this.#options = options;
  }

  get(jobId: number): KnownJob | undefined {
    return this.#jobs.get(jobId);
  }

  /** A job that is known already stays as it is: descriptions never change. */
  add(description: JobForWorker): void {
    if (this.#jobs.has(description.id)) return;
    const indices = description.indices === '' ? IndexSet.ofSize(1) : IndexSet.fromString(description.indices);
    const job: KnownJob = { description, indices, prepared: undefined };
    this.#jobs.set(description.id, job);
    void this.#prepare(job);
  }

  forget(jobId: number): void {
    this.#jobs.delete(jobId);
  }

  async #prepare(job: KnownJob): Promise<void> {
    const { signal, onFailed, onPrepared } = this.#options;
    const backoff = new Backoff({ firstMs: 100, mostMs: 5_000 });
    const { id } = job.description;
    while (!signal.aborted && this.#jobs.get(id) === job) {
      try {
        job.prepared = await this.#tryPrepare(job);
        break;
      } catch (error) {
        if (isForGood(error)) {
          job.prepared = this.#missing(job, error);
          break;
        }
        onFailed(error);
        await backoff.pause(signal);
      }
    }
    if (job.prepared !== undefined) onPrepared(id);
  }

  async #tryPrepare(job: KnownJob): Promise<PreparedJob> {
    const { run, envSnapshot } = job.description;
    const { files, session } = this.#options;
    const base = envSnapshot === undefined ? minimalEnvironment() : await files.snapshot(envSnapshot);
    const env = jobEnvironment(job.description, job.indices, base, session);
    switch (run.kind) {
      case 'argv':
        return { argv: run.argv, env };
      case 'shell':
        // Otherwise a text that begins with a sign is taken for an option of sh.
        return { argv: ['/bin/sh', '-c', /^[-+]/.test(run.text) ? ` ${run.text}` : run.text], env };
      case 'script': {
        const script = await files.script(run.hash);
        return { argv: [...(script.isProgram ? [] : ['/bin/sh']), script.path, ...run.args], env };
      }
    }
  }

  #missing(job: KnownJob, error: unknown): PreparedJob {
    const env = jobEnvironment(job.description, job.indices, minimalEnvironment(), this.#options.session);
    const why = error instanceof Error ? error.message : String(error);
    return { argv: [], env, missing: `the files of job ${job.description.id} cannot be had: ${why}` };
  }
}

/** Whether asking again cannot help: the server answered that it does not have it. */
function isForGood(error: unknown): boolean {
  return (
    isSpawnError(error) &&
    error.http >= 400 &&
    error.http < 500 &&
    error.http !== 429 &&
    error.code !== 'SESSION_UNKNOWN'
  );
}
