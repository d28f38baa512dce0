import { closeSync, constants, fstatSync, ftruncateSync, mkdirSync, openSync, writevSync } from 'node:fs';
import { join } from 'node:path';
import { segmentFileName } from '../../../core/log-record.ts';
import type { LogPosition } from '../types.ts';

const MAX_OPEN_SEGMENTS = 64;
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** The segment files of one job. */
class JobSegments {
  readonly dir: string;
  users = 0;
  segment = 0;
  offset = 0;
  /** The next write opens a new segment. */
  roll = false;
  fd: number | null = null;

  constructor(dir: string) {
    this.dir = dir;
  }

  close(): void {
    if (this.fd !== null) closeSync(this.fd);
    this.fd = null;
  }
}

/** Writes records into `<logDir>/<jobId>/<sessionTag>-<n>.seg`; few files are open at a time. */
export class Segments {
  readonly #logDir: string;
  readonly #sessionTag: string;
  readonly #maxBytes: number;
  readonly #jobs = new Map<number, JobSegments>();
  /** In order of use, the oldest first. */
  readonly #open = new Set<JobSegments>();

  constructor(logDir: string, sessionTag: string, maxBytes: number) {
    this.#logDir = logDir;
    this.#sessionTag = sessionTag;
    this.#maxBytes = maxBytes;
  }

  /** An attempt of this job will write until `leave`. */
  enter(jobId: number): LogPosition {
    let job = this.#jobs.get(jobId);
    if (job === undefined) {
      job = new JobSegments(join(this.#logDir, String(jobId)));
      this.#jobs.set(jobId, job);
    }
    job.users += 1;
    return job.roll ? { segment: job.segment + 1, offset: 0 } : this.#position(job);
  }

  leave(jobId: number): LogPosition {
    const job = this.#jobs.get(jobId)!;
    job.users -= 1;
    return this.#position(job);
  }

  forget(jobId: number): void {
    const job = this.#jobs.get(jobId);
    if (job === undefined) return;
    this.#close(job);
    job.roll = true;
    if (job.users === 0) this.#jobs.delete(jobId);
  }

  /** One whole record. False: it is not in the file, and neither is a part of it. */
  append(jobId: number, header: Uint8Array, data: Uint8Array): boolean {
    const job = this.#jobs.get(jobId)!;
    const length = header.byteLength + data.byteLength;
    try {
      this.#ensure(job);
    } catch {
      return false;
    }
    try {
      let done = writevSync(job.fd!, [header, data], job.offset);
      while (done < length) {
        const rest =
          done < header.byteLength ? [header.subarray(done), data] : [data.subarray(done - header.byteLength)];
        done += writevSync(job.fd!, rest, job.offset + done);
      }
      job.offset += length;
      return true;
    } catch {
      this.#repair(job);
      return false;
    }
  }

  /** A torn record at the end would hide everything behind it: cut it off, or leave this segment for good. */
  #repair(job: JobSegments): void {
    try {
      ftruncateSync(job.fd!, job.offset);
    } catch {
      job.roll = true;
    }
  }

  #position(job: JobSegments): LogPosition {
    return { segment: Math.max(1, job.segment), offset: job.offset };
  }

  #close(job: JobSegments): void {
    job.close();
    this.#open.delete(job);
  }

  #ensure(job: JobSegments): void {
    if (job.offset >= this.#maxBytes) job.roll = true;
    if (job.roll) this.#close(job);
    if (job.fd === null) {
      mkdirSync(job.dir, { recursive: true, mode: 0o700 });
      if (job.roll || job.segment === 0 || !this.#reopen(job)) this.#create(job);
      if (this.#open.size >= MAX_OPEN_SEGMENTS) this.#close(this.#open.values().next().value!);
    }
    this.#open.delete(job);
    this.#open.add(job);
  }

  #path(job: JobSegments, segment: number): string {
    return join(job.dir, segmentFileName(this.#sessionTag, segment));
  }

  /** False: it is gone, or shorter than what was written. */
  #reopen(job: JobSegments): boolean {
    try {
      job.fd = openSync(this.#path(job, job.segment), O_WRONLY | O_NOFOLLOW);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false;
      throw error;
    }
    if (fstatSync(job.fd).size >= job.offset) return true;
    job.close();
    return false;
  }

  #create(job: JobSegments): void {
    for (let segment = job.segment + 1; ; segment++) {
      try {
        job.fd = openSync(this.#path(job, segment), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
        job.segment = segment;
        job.offset = 0;
        job.roll = false;
        return;
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
      }
    }
  }
}
