import { join } from 'node:path';
import { encodeLogHeader, LOG_HEADER_BYTES, type LogHeader, MAX_LOG_DATA_BYTES } from '../../core/log-record.ts';
import { Backoff } from '../backoff.ts';
import { SegmentFile } from './segment-file.ts';

/** Segment numbers on the wire: `life * 65536 + sequence`. The forkers of a session count their lives from 0 and never get here. */
const SEGMENTS_OF_A_LIFE = 65_536;
export const RESULT_LIFE = 65_535;
export const HOST_LOG_LIFE = 65_534;

/** As the forker's. */
const SEGMENT_BYTES = 64 * 1024 * 1024;
/** Of one job, while the disk takes nothing. */
const MOST_WAITING_BYTES = 8 * 1024 * 1024;
/** Open at once; as many as the forker. */
const MOST_OPEN = 64;

export interface SegmentWriterOptions {
  /** Holds a folder a job. */
  readonly logDir: string;
  readonly sessionId: number;
  readonly life: number;
  /** What was written survives a loss of power. Default true. */
  readonly isDurable?: boolean;
  /** A try to write failed and another will follow. */
  readonly onFailed: (error: unknown) => void;
}

/** Where records begin, and how long they are with their headers. */
export interface RecordPlace {
  readonly segment: number;
  readonly offset: number;
  readonly bytes: number;
}

type Header = Omit<LogHeader, 'length'>;

interface JobSegments {
  /** The last one is written to. */
  files: SegmentFile[];
  usedAt: number;
  /** Writing goes on since the disk refused something. */
  isTroubled: boolean;
  current: Promise<void>;
  next: Promise<void> | undefined;
}

/** Writes records of many attempts into segment files of a life of their own: gathered in memory, in the file once `sync` resolves. */
export class SegmentWriter {
  readonly #options: SegmentWriterOptions;
  readonly #jobs = new Map<number, JobSegments>();
  readonly #stop = new AbortController();
  #uses = 0;

  constructor(options: SegmentWriterOptions) {
    this.#options = options;
  }

  /**
   * Adds data of one attempt, as one record or as several that follow each other in the same segment. Undefined: not taken, because no file can be
   * made, or because too much waits for a disk that is full.
   */
  append(jobId: number, header: Header, data: Uint8Array): RecordPlace | undefined {
    const bytes = data.byteLength + LOG_HEADER_BYTES * Math.max(1, Math.ceil(data.byteLength / MAX_LOG_DATA_BYTES));
    const job = this.#jobOf(jobId);
    const file = this.#fileOf(job, jobId, bytes);
    if (file === undefined) return undefined;
    const offset = file.end;
    file.append(encode(header, data, bytes));
    return { segment: this.#options.life * SEGMENTS_OF_A_LIFE + file.sequence, offset, bytes };
  }

  /** Where the next record of the job would begin, as far as that is known. */
  endOf(jobId: number): Pick<RecordPlace, 'segment' | 'offset'> {
    const file = this.#jobs.get(jobId)?.files.at(-1);
    if (file === undefined) return { segment: 0, offset: 0 };
    return { segment: this.#options.life * SEGMENTS_OF_A_LIFE + file.sequence, offset: file.end };
  }

  /**
   * Resolves when all that was appended of the job is in its file (and on disk, where the writer is durable): a full one is tried again and again. Rejects after `close`.
   */
  sync(jobId: number): Promise<void> {
    const job = this.#jobs.get(jobId);
    if (job === undefined) return Promise.resolve();
    // Whoever comes while one is under way shares the next one.
    job.next ??= job.current.then(() => {
      job.current = job.next!.catch(() => undefined);
      job.next = undefined;
      return this.#sync(job);
    });
    return job.next;
  }

  /** Nothing more of the job comes. */
  async forget(jobId: number): Promise<void> {
    const job = this.#jobs.get(jobId);
    if (job === undefined) return;
    await this.sync(jobId).catch(() => undefined);
    if (!job.files.every(({ isIdle }) => isIdle)) return;
    for (const file of job.files) file.close();
    if (this.#jobs.get(jobId) === job) this.#jobs.delete(jobId);
  }

  /** One try for what waits, and no more. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all([...this.#jobs.keys()].map((jobId) => this.sync(jobId).catch(() => undefined)));
    for (const { files } of this.#jobs.values()) for (const file of files) file.close();
    this.#jobs.clear();
  }

  #jobOf(jobId: number): JobSegments {
    let job = this.#jobs.get(jobId);
    if (job === undefined) {
      job = { files: [], usedAt: 0, isTroubled: false, current: Promise.resolve(), next: undefined };
      this.#jobs.set(jobId, job);
    }
    job.usedAt = ++this.#uses;
    return job;
  }

  #fileOf(job: JobSegments, jobId: number, bytes: number): SegmentFile | undefined {
    const last = job.files.at(-1);
    if (last !== undefined && job.isTroubled && last.waitingBytes + bytes > MOST_WAITING_BYTES) return undefined;
    if (last !== undefined && last.end + bytes <= SEGMENT_BYTES && last.reopen()) return last;
    const { logDir, sessionId, life, onFailed } = this.#options;
    try {
      const file = SegmentFile.make(join(logDir, String(jobId)), `${sessionId}-${life}`, (last?.sequence ?? 0) + 1);
      job.files = [...job.files.filter(({ isIdle, isOpen }) => isOpen || !isIdle), file];
      this.#closeOldest(job);
      return file;
    } catch (error) {
      onFailed(error);
      return undefined;
    }
  }

  /** Of jobs that were not written to for the longest time. */
  #closeOldest(newest: JobSegments): void {
    const idle = [...this.#jobs.values()].filter(
      ({ files }) => files.some(({ isOpen }) => isOpen) && files.every(({ isIdle }) => isIdle),
    );
    if (idle.length < MOST_OPEN) return;
    const [oldest] = idle.filter((job) => job !== newest).sort((a, b) => a.usedAt - b.usedAt);
    for (const file of oldest?.files ?? []) file.close();
  }

  async #sync(job: JobSegments): Promise<void> {
    const backoff = new Backoff({ firstMs: 50, mostMs: 2_000 });
    for (;;) {
      try {
        for (const file of job.files) await file.sync(this.#options.isDurable ?? true);
        break;
      } catch (error) {
        job.isTroubled = true;
        this.#options.onFailed(error);
        if (this.#stop.signal.aborted) throw error;
        await backoff.pause(this.#stop.signal);
      }
    }
    job.isTroubled = false;
    for (const file of job.files.slice(0, -1)) if (file.isIdle) file.close();
    job.files = job.files.filter((file, at) => at === job.files.length - 1 || !file.isIdle);
  }
}

function encode(header: Header, data: Uint8Array, bytes: number): Uint8Array {
  const target = new Uint8Array(bytes);
  let from = 0;
  let to = 0;
  do {
    const piece = data.subarray(from, from + MAX_LOG_DATA_BYTES);
    encodeLogHeader({ ...header, length: piece.byteLength }, target, to);
    target.set(piece, to + LOG_HEADER_BYTES);
    from += piece.byteLength;
    to += LOG_HEADER_BYTES + piece.byteLength;
  } while (from < data.byteLength);
  return target;
}
