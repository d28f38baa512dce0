import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobForWorker } from '../../api/session.ts';
import { isSpawnError } from '../../core/errors.ts';
import { type OpenPart, openPart } from '../../inputs/open/open-part.ts';
import { type Plan, readPlan } from '../../inputs/plan/reader.ts';
import { openSources, type Sources } from '../../inputs/sources/open.ts';
import { Backoff } from '../backoff.ts';
import { isForGood } from '../for-good.ts';
import type { JobFiles } from '../job-files.ts';
import { wholeFile } from './whole-file.ts';

/** Parts that are made before their tasks are here. */
const MOST_AHEAD = 8;
/** Together, unless one alone is larger. */
const MOST_AHEAD_BYTES = 1024 ** 3;
/** Made, and not wanted yet; parts that others were granted are among them. */
const MOST_KEPT = 16;

/** The part of a task, as a file. */
export interface PartFile {
  readonly path: string;
  /** The path of the source, when that is what the part is: one whole file of this machine. */
  readonly input: string | undefined;
  /** Undefined when they were not counted. */
  readonly records: number | undefined;
  /** The file or group that it belongs to. */
  readonly batch: string;
  /** It is of no use any more. Never rejects. */
  clear(): Promise<void>;
}

/** Why there is none, for people. */
export interface NoPart {
  readonly missing: string;
}

export interface PartFilesOptions {
  readonly job: JobForWorker & { readonly plan: string };
  /** For them alone. */
  readonly folder: string;
  readonly files: Pick<JobFiles, 'blob'>;
  /** Of its tasks, for secrets by reference; asked for when the first part is made. */
  readonly env: () => Readonly<Record<string, string | undefined>>;
  /** A part that was asked for is here. */
  readonly onHere: () => void;
  readonly onFailed: (error: unknown) => void;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
}

interface Made {
  readonly making: Promise<void>;
  bytes: number;
  part: PartFile | NoPart | undefined;
}

/** The parts of a job that its tasks here read, each made as a file a little before it is needed. */
export class PartFiles {
  readonly #options: PartFilesOptions;
  #sources: Sources | undefined;
  readonly #made = new Map<number, Made>();
  #plan: Promise<Plan> | undefined;
  /** How many are made ahead: more as long as they are then wanted. */
  #ahead = 1;
  #files = 0;

  constructor(options: PartFilesOptions) {
    this.#options = options;
  }

  /** Whether the part at a position is here, or is known not to come; it is made when it is not. */
  isReady(position: number): boolean {
    const made = this.#made.get(position);
    if (made?.part !== undefined) return true;
    if (made === undefined) {
      this.#ahead = 1;
      this.#make(position);
    }
    return false;
  }

  /** Gives the part to an attempt, which clears it; the next attempt gets another copy. */
  take(position: number): PartFile | NoPart {
    const part = this.#made.get(position)?.part;
    this.#made.delete(position);
    if (part === undefined) return { missing: 'the part of the task is not here' };
    this.#ahead = Math.min(MOST_AHEAD, this.#ahead * 2);
    for (let next = position + 1; next <= position + this.#ahead && this.#mayMakeMore(); next++) {
      if (!this.#made.has(next)) this.#make(next, true);
    }
    this.#dropOldest();
    return part;
  }

  /** Nothing of the job runs any more. */
  async close(): Promise<void> {
    const all = [...this.#made.values()];
    this.#made.clear();
    await Promise.all(all.map(({ making }) => making));
    await Promise.all(all.map(({ part }) => clear(part)));
    this.#sources?.close();
    await rm(this.#options.folder, { recursive: true, force: true }).catch(() => undefined);
  }

  #mayMakeMore(): boolean {
    let bytes = 0;
    for (const made of this.#made.values()) bytes += made.bytes;
    return bytes < MOST_AHEAD_BYTES && this.#made.size < MOST_KEPT;
  }

  #dropOldest(): void {
    for (const [position, { part }] of this.#made) {
      if (this.#made.size < MOST_KEPT) return;
      if (part === undefined) continue;
      this.#made.delete(position);
      void clear(part);
    }
  }

  #make(position: number, isAhead = false): void {
    const { signal, onHere } = this.#options;
    const made: Made = { bytes: 0, part: undefined, making: Promise.resolve() };
    const making = (async () => {
      try {
        const plan = await this.#planned();
        if (isAhead && position >= plan.manifest.parts) return void this.#forget(position, made);
        made.part = await this.#write(plan, await openPart(plan, position, this.#context()), made);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        if (!signal.aborted) made.part = { missing: `the part of the task cannot be had: ${why}` };
      }
      // Nobody has waited for what was made ahead, and trying again may help when it is wanted.
      if (isAhead && made.part !== undefined && 'missing' in made.part) this.#forget(position, made);
      if (!signal.aborted) onHere();
    })();
    this.#made.set(position, Object.assign(made, { making }));
  }

  #forget(position: number, made: Made): void {
    if (this.#made.get(position) === made) this.#made.delete(position);
  }

  /** Made when the environment of the job is known. */
  #reader(): Sources {
    const { job, env } = this.#options;
    const s3 = job.input !== undefined && 's3' in job.input ? job.input.s3 : undefined;
    this.#sources ??= openSources({ env: env(), ...(s3 === undefined ? {} : { s3 }) });
    return this.#sources;
  }

  #context() {
    const { job, signal } = this.#options;
    return { reader: this.#reader(), signal, cwd: job.cwd };
  }

  async #write(plan: Plan, part: OpenPart, made: Made): Promise<PartFile> {
    const { folder, signal } = this.#options;
    const { records, batch } = part.part;
    const whole = await wholeFile(plan.manifest.input.type, part, this.#reader(), signal);
    if (whole !== undefined) {
      return { path: whole, input: whole, records, batch: batch.name, clear: () => Promise.resolve() };
    }
    await mkdir(folder, { recursive: true, mode: 0o700 });
    this.#files += 1;
    const path = join(folder, `${this.#files}.part`);
    const remove = () => rm(path, { force: true }).catch(() => undefined);
    try {
      const file = await open(path, 'wx', 0o600);
      try {
        for await (const bytes of part.bytes()) {
          signal.throwIfAborted();
          await file.writeFile(bytes);
          made.bytes += bytes.byteLength;
        }
      } finally {
        await file.close();
      }
    } catch (error) {
      await remove();
      throw error;
    }
    return { path, input: undefined, records, batch: batch.name, clear: remove };
  }

  #planned(): Promise<Plan> {
    this.#plan ??= readPlan(this.#options.job.plan, (hash) => this.#blob(hash));
    this.#plan.catch(() => {
      this.#plan = undefined;
    });
    return this.#plan;
  }

  /** Tries until it is here, or will never be. */
  async #blob(hash: string): Promise<Uint8Array> {
    const { files, signal, onFailed } = this.#options;
    const backoff = new Backoff({ firstMs: 100, mostMs: 5_000 });
    for (;;) {
      signal.throwIfAborted();
      try {
        return await files.blob(hash);
      } catch (error) {
        if (isForGood(error) || (isSpawnError(error) && error.code === 'INTERNAL')) throw error;
        onFailed(error);
        await backoff.pause(signal);
      }
    }
  }
}

async function clear(part: PartFile | NoPart | undefined): Promise<void> {
  if (part !== undefined && 'path' in part) await part.clear();
}
