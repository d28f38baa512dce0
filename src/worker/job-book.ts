import { join } from 'node:path';
import type { JobForWorker } from '../api/session.ts';
import { SRUN_PROGRAM } from '../api/slurm-names.ts';
import { builtProgram } from '../client/node/package-files.ts';
import { IndexSet } from '../core/index-set.ts';
import { type Needs, needsOf } from '../core/resources.ts';
import { readSecret } from '../objects/secrets.ts';
import { Backoff } from './backoff.ts';
import { jobEnvironment, minimalEnvironment, type Place } from './environment.ts';
import { isForGood } from './for-good.ts';
import type { JobFiles } from './job-files.ts';
import { ParamRows } from './param-rows.ts';
import { hasPlaceholders, type JobData, variablesOf } from './parts/job-data.ts';
import { PartFiles } from './parts/part-files.ts';
import { shellText } from './parts/placeholders.ts';
import type { Stages } from './stages.ts';

/** How the tasks of a job are started. */
export interface PreparedJob {
  readonly argv: readonly string[];
  /** Where its tasks run: as its description says, or a copy of that. */
  readonly cwd: string;
  /** Shared by all its tasks. */
  readonly env: readonly string[];
  /** Its files cannot be had: what the log of each task shall say. */
  readonly missing?: string;
}

/** A job, or one of its lanes: what differs in a lane is replaced in its description. */
export interface KnownJob {
  readonly description: JobForWorker;
  readonly lane: number;
  readonly needs: Needs;
  /** Of its tasks in the forker; no other lane has it. */
  readonly queueId: number;
  readonly indices: IndexSet;
  /** Of its tasks; undefined where none has any. */
  readonly params?: ParamRows | undefined;
  /** Of a data job whose tasks are processes. */
  readonly data?: JobData | undefined;
  /** Undefined until its files are here. */
  prepared: PreparedJob | undefined;
}

/** What all lanes of a job have in common. */
interface Files {
  readonly argv: readonly string[];
  /** What the environment starts from. */
  readonly base: readonly string[];
  readonly cwd: string;
  readonly missing?: string;
}

interface Entry {
  readonly description: JobForWorker;
  readonly indices: IndexSet;
  /** Number 0 is the job itself. */
  readonly lanes: Map<number, KnownJob>;
  readonly params: ParamRows | undefined;
  readonly data: JobData | undefined;
  files: Files | undefined;
}

/** Where tasks run in a place of their own: how they are started there. */
export interface JobAdapter {
  describe(job: JobForWorker): JobForWorker;
  prepare(prepared: PreparedJob, job: JobForWorker): PreparedJob;
  /** Where a file of this worker is seen from there. */
  path(path: string): string;
}

export interface JobBookOptions {
  readonly files: JobFiles;
  readonly stages: Stages;
  readonly place: Place;
  /** For what tasks of data jobs need; undefined where there are none. */
  readonly directory?: string | undefined;
  readonly onPrepared: (jobId: number) => void;
  readonly onFailed: (error: unknown) => void;
  readonly adapter?: JobAdapter | undefined;
  /** Ends tries that are under way. */
  readonly signal: AbortSignal;
}

/** The jobs of which a session knows the description, and what their tasks need. */
export class JobBook {
  readonly #options: JobBookOptions;
  readonly #jobs = new Map<number, Entry>();
  #queues = 0;

  constructor(options: JobBookOptions) {
    this.#options = options;
  }

  /** Undefined for a lane that was not described. */
  get(jobId: number, lane = 0): KnownJob | undefined {
    return this.#jobs.get(jobId)?.lanes.get(lane);
  }

  /** The job and its lanes. */
  allOf(jobId: number): KnownJob[] {
    return [...(this.#jobs.get(jobId)?.lanes.values() ?? [])];
  }

  /** Of a job that is known already only the lanes count: the rest never changes, and what runs is not disturbed. */
  add(given: JobForWorker): void {
    const description = this.#options.adapter?.describe(given) ?? given;
    let entry = this.#jobs.get(description.id);
    if (entry === undefined) {
      const indices = description.indices === '' ? IndexSet.ofSize(1) : IndexSet.fromString(description.indices);
      const [params, data] = [this.#paramsOf(description), this.#dataOf(description)];
      entry = { description, indices, lanes: new Map(), params, data, files: undefined };
      entry.lanes.set(0, this.#lane(entry, 0, description));
      this.#jobs.set(description.id, entry);
      void this.#prepare(entry);
    }
    for (const { lane, ...terms } of description.lanes ?? []) {
      // The terms of a lane never change, and its tasks in the forker go by its number there.
      if (!entry.lanes.has(lane)) entry.lanes.set(lane, this.#lane(entry, lane, { ...entry.description, ...terms }));
    }
  }

  forget(jobId: number): void {
    if (this.#jobs.get(jobId)?.description.stage !== undefined) this.#options.stages.forget(jobId);
    void this.#jobs.get(jobId)?.data?.parts?.close();
    this.#jobs.delete(jobId);
  }

  /** Nothing of the session runs any more. */
  async close(): Promise<void> {
    await Promise.all([...this.#jobs.values()].map(({ data }) => data?.parts?.close()));
  }

  #lane(entry: Entry, lane: number, description: JobForWorker): KnownJob {
    const { gpus = 0, resources = {} } = description;
    const job = {
      description,
      lane,
      needs: needsOf({ ...description, gpus, resources }),
      queueId: ++this.#queues,
      indices: entry.indices,
      params: entry.params,
      data: entry.data,
      prepared: undefined,
    };
    return entry.files === undefined ? job : { ...job, prepared: this.#prepared(job, entry.files) };
  }

  #paramsOf({ id, params, paramTable }: JobForWorker): ParamRows | undefined {
    if (params === undefined && paramTable === undefined) return undefined;
    const { files, onPrepared, onFailed, signal } = this.#options;
    const onHere = () => onPrepared(id);
    return new ParamRows({ shared: params ?? {}, table: paramTable, files, onHere, onFailed, signal });
  }

  #dataOf(job: JobForWorker): JobData | undefined {
    const { id, plan, run } = job;
    const { directory, files, onPrepared, onFailed, signal } = this.#options;
    if (directory === undefined || !hasPlaceholders(job)) return undefined;
    const folder = join(directory, String(id));
    // A host reads the parts of handlers by itself.
    if (plan === undefined || run.kind === 'handler') return { parts: undefined, folder };
    const onHere = () => onPrepared(id);
    const env = () => variablesOf(this.get(id)?.prepared?.env ?? []);
    const parts = { job: { ...job, plan }, folder: join(folder, 'parts'), files, env, onHere, onFailed, signal };
    return { parts: new PartFiles(parts), folder };
  }

  #prepared({ description, indices }: KnownJob, { argv, base, cwd, missing }: Files): PreparedJob {
    const env = jobEnvironment(description, indices, base, { ...this.#options.place, cwd });
    if (missing !== undefined) return { argv, env, cwd, missing };
    return this.#options.adapter?.prepare({ argv, env, cwd }, description) ?? { argv, env, cwd };
  }

  async #prepare(entry: Entry): Promise<void> {
    const { signal, onFailed, onPrepared } = this.#options;
    const backoff = new Backoff({ firstMs: 100, mostMs: 5_000 });
    const { id } = entry.description;
    while (entry.files === undefined && !signal.aborted && this.#jobs.get(id) === entry) {
      try {
        entry.files = await this.#fetch(entry.description);
      } catch (error) {
        if (isForGood(error)) {
          entry.files = missing(entry.description, error);
        } else {
          onFailed(error);
          await backoff.pause(signal);
        }
      }
    }
    if (entry.files === undefined) return;
    for (const job of entry.lanes.values()) job.prepared = this.#prepared(job, entry.files);
    onPrepared(id);
  }

  async #fetch(job: JobForWorker): Promise<Files> {
    const { id, run, envSnapshot, stage } = job;
    const { files, stages, adapter } = this.#options;
    const there = (path: string) => adapter?.path(path) ?? path;
    const given = envSnapshot === undefined ? minimalEnvironment() : await files.snapshot(envSnapshot);
    const base = [...given, ...secretsOf(job, given)];
    const cwd = stage === undefined ? job.cwd : there(await stages.unpack(id, stage));
    switch (run.kind) {
      case 'argv':
        return { argv: programOf(run.argv), base, cwd };
      case 'shell': {
        const text = hasPlaceholders(job) ? shellText(run.text) : run.text;
        // Otherwise a text that begins with a sign is taken for an option of sh.
        return { argv: ['/bin/sh', '-c', /^[-+]/.test(text) ? ` ${text}` : text], base, cwd };
      }
      case 'script': {
        const script = await files.script(run.hash);
        return { argv: [...(script.isProgram ? [] : ['/bin/sh']), script.path, ...run.args], base, cwd };
      }
      // A host calls it, or nothing is started.
      case 'handler':
      case 'signal':
        return { argv: [], base, cwd };
    }
  }
}

/** Variables that are read where the tasks run: they stand in no spec, store or message. */
function secretsOf({ secrets = {}, env }: JobForWorker, given: readonly string[]): string[] {
  const own = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const variables = variablesOf([...given, ...own]);
  return Object.entries(secrets).map(([name, ref]) => `${name}=${readSecret(ref, `secrets.${name}`, variables)}`);
}

/** The srun of this package, where a job asks for it. */
function programOf(argv: readonly string[]): readonly string[] {
  const [first, ...rest] = argv;
  return first === SRUN_PROGRAM ? [process.execPath, builtProgram('spawn'), 'srun', ...rest] : argv;
}

function missing({ id, cwd }: JobForWorker, error: unknown): Files {
  const why = error instanceof Error ? error.message : String(error);
  return { argv: [], base: minimalEnvironment(), cwd, missing: `the files of job ${id} cannot be had: ${why}` };
}
