import { closeSync, mkdirSync, openSync, renameSync } from 'node:fs';
import { open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSpawnError } from '../core/errors.ts';
import { Backoff } from './backoff.ts';
import { NO_RETRY, type WorkerClient } from './client.ts';

/** One request; well under what the server takes. */
const PIECE_BYTES = 2 * 1024 * 1024;
/** How often what runs is looked at. */
const LOOK_MS = 500;
/** After an end: ends come in crowds. */
const SOON_MS = 20;
const SEQUENCES = 65_536;
/** Errors after which a segment is of no use to the server: its job or session is gone there. */
const UNWANTED: ReadonlySet<string> = new Set(['JOB_NOT_FOUND', 'SESSION_UNKNOWN', 'NOT_PERMITTED', 'BAD_REQUEST']);

export interface ShipperOptions {
  readonly client: Pick<WorkerClient, 'putLog'>;
  readonly sessionId: number;
  /** Holds a folder a job, with the segments of this session. */
  readonly logDir: string;
  /** Jobs of which attempts run: their segments grow. */
  readonly running: () => Iterable<number>;
  /** One line for a person, without its end. */
  readonly log: (line: string) => void;
}

/** Sends the segments that the forkers of a session write to a server on another machine, piece by piece, as they grow. */
export class LogShipper {
  readonly #options: ShipperOptions;
  readonly #stop = new AbortController();
  readonly #backoff = new Backoff({ firstMs: 100, mostMs: 5_000 });
  /** Jobs whose segments may be ahead of the server's copies. */
  readonly #behind = new Set<number>();
  /** Jobs the server forgot: their segments go once they are shipped. */
  readonly #over = new Set<number>();
  /** The newest segments of each job that were removed here, one of each life: the server has them, and no others may get their numbers. */
  readonly #removed = new Map<number, readonly number[]>();
  /** Bytes the server has, by path. */
  readonly #shipped = new Map<string, number>();
  #wake: () => void = () => {};
  #isTroubled = false;

  constructor(options: ShipperOptions) {
    this.#options = options;
  }

  /** An attempt of the job ended: what it wrote is all there. */
  ended(jobId: number): void {
    this.#behind.add(jobId);
    this.#wake();
  }

  /** The job is over here: what was shipped of it is removed. */
  forget(jobId: number): void {
    this.#over.add(jobId);
    this.#behind.add(jobId);
    this.#wake();
  }

  /**
   * The job is here, perhaps again, and nothing of it has started yet. Whoever writes takes the first number that is free: those that the
   * server knows are taken by empty files.
   */
  known(jobId: number): void {
    this.#over.delete(jobId);
    const newest = this.#removed.get(jobId);
    if (newest === undefined) return;
    const folder = join(this.#options.logDir, String(jobId));
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      for (const last of newest) {
        for (let segment = last - (last % SEQUENCES) + 1; segment <= last; segment++) {
          closeSync(openSync(join(folder, this.#nameOf(segment)), 'a', 0o600));
        }
      }
      this.#removed.delete(jobId);
    } catch (error) {
      this.#options.log(`logs of job ${jobId} will be incomplete: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** Ships until `stop`. Never rejects: what cannot be sent now is tried again. */
  async run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      for (const jobId of this.#options.running()) this.#behind.add(jobId);
      const isDone = await this.#round();
      if (this.#stop.signal.aborted) return;
      if (!isDone) await this.#backoff.pause(this.#stop.signal);
      else await this.#rest();
    }
  }

  /** Sends all there is, for `withinMs` at most, and stops. True when the server has everything. */
  async finish(withinMs: number): Promise<boolean> {
    this.#stop.abort();
    const deadline = performance.now() + withinMs;
    for (const name of await readdir(this.#options.logDir).catch(() => [])) {
      if (/^\d+$/.test(name)) this.#behind.add(Number(name));
    }
    for (;;) {
      const signal = AbortSignal.timeout(Math.ceil(Math.max(1, deadline - performance.now())));
      if (await this.#round(signal)) return true;
      if (performance.now() >= deadline) return false;
      await this.#backoff.pause(signal);
    }
  }

  /** What could not be sent yet stays where it is. */
  stop(): void {
    this.#stop.abort();
  }

  /** One look at all jobs that may be behind; false when something could not be sent. */
  async #round(signal = this.#stop.signal): Promise<boolean> {
    for (const jobId of [...this.#behind]) {
      this.#behind.delete(jobId);
      try {
        await this.#shipJob(jobId, signal);
      } catch (error) {
        this.#behind.add(jobId);
        if (!this.#isTroubled && !signal.aborted) {
          this.#options.log(`logs cannot be shipped: ${error instanceof Error ? error.message : error}; trying again`);
        }
        this.#isTroubled = true;
        return false;
      }
    }
    this.#isTroubled = false;
    this.#backoff.reset();
    return true;
  }

  async #shipJob(jobId: number, signal: AbortSignal): Promise<void> {
    const folder = join(this.#options.logDir, String(jobId));
    const isOver = this.#over.has(jobId);
    const segments = (await readdir(folder).catch(() => [])).flatMap((name) => this.#segmentOf(name));
    for (const { name, segment } of segments.toSorted((a, b) => a.segment - b.segment)) {
      await this.#shipSegment(jobId, segment, join(folder, name), signal);
      if (isOver) this.#shipped.delete(join(folder, name));
    }
    // It may have come back meanwhile.
    if (this.#over.delete(jobId)) {
      await this.#remove(
        jobId,
        folder,
        segments.map(({ segment }) => segment),
      );
    }
  }

  /** At one blow: what comes back writes into a new folder. */
  async #remove(jobId: number, folder: string, segments: readonly number[]): Promise<void> {
    if (segments.length === 0) return;
    const newest = newestOfLives(segments);
    const gone = join(this.#options.logDir, `gone-${jobId}-${newest.join('-')}`);
    renameSync(folder, gone);
    this.#removed.set(jobId, newest);
    await rm(gone, { recursive: true, force: true });
  }

  #nameOf(segment: number): string {
    return `${this.#options.sessionId}-${Math.floor(segment / SEQUENCES)}-${segment % SEQUENCES}.seg`;
  }

  #segmentOf(name: string): { name: string; segment: number }[] {
    const match = /^(\d+)-(\d+)-(\d+)\.seg$/.exec(name);
    if (match === null || Number(match[1]) !== this.#options.sessionId) return [];
    return [{ name, segment: Number(match[2]) * SEQUENCES + Number(match[3]) }];
  }

  async #shipSegment(jobId: number, segment: number, path: string, signal: AbortSignal): Promise<void> {
    const { client, sessionId } = this.#options;
    const { size } = await stat(path);
    let offset = this.#shipped.get(path) ?? 0;
    while (offset < size) {
      const bytes = await readPiece(path, offset, Math.min(PIECE_BYTES, size - offset));
      if (bytes.byteLength === 0) return;
      try {
        const reply = await client.putLog(sessionId, jobId, segment, offset, bytes, { ...NO_RETRY, signal });
        // The server's copy may have been cut short, or grown by a piece whose reply was lost.
        offset = reply.size;
      } catch (error) {
        if (!isSpawnError(error) || !UNWANTED.has(error.code)) throw error;
        offset = size;
      }
      this.#shipped.set(path, offset);
    }
  }

  /** Until something ended, or for the time in which what runs may have written something worth sending. */
  async #rest(): Promise<void> {
    const pause = new AbortController();
    this.#wake = () => setTimeout(() => pause.abort(), SOON_MS);
    if (this.#behind.size > 0) this.#wake();
    await sleep(LOOK_MS, undefined, { signal: AbortSignal.any([pause.signal, this.#stop.signal]) }).catch(() => {});
    this.#wake = () => {};
  }
}

function newestOfLives(segments: readonly number[]): number[] {
  const newest = new Map<number, number>();
  for (const segment of segments) {
    const life = Math.floor(segment / SEQUENCES);
    newest.set(life, Math.max(segment, newest.get(life) ?? 0));
  }
  return [...newest.values()];
}

async function readPiece(path: string, offset: number, bytes: number): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const target = Buffer.allocUnsafeSlow(bytes);
    const { bytesRead } = await file.read(target, 0, bytes, offset);
    return target.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
