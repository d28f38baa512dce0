import { appendFileSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HelloRequest } from '../../src/api/session.ts';
import { LogStream } from '../../src/core/log-record.ts';
import { openBlobs } from '../../src/objects/directory/blobs.ts';
import { openSegments } from '../../src/objects/directory/segments.ts';
import { LedgerAtHand, WorkerAtHand } from './ledger-at-hand.ts';
import { logBytes } from './log-bytes.ts';

const SEGMENT = 65_536 + 1;

export interface ReportedEnd {
  readonly position: number;
  /** Encoded; default success. */
  readonly outcome?: number;
  /** What it wrote to standard error. */
  readonly stderr?: string;
  readonly wallUs?: number;
}

/** A coordinator, and a worker whose tasks write real logs. */
export class LoggingTasks {
  readonly at: LedgerAtHand;
  readonly worker: WorkerAtHand;
  readonly logs: string;

  private constructor(at: LedgerAtHand, worker: WorkerAtHand, logs: string) {
    this.at = at;
    this.worker = worker;
    this.logs = logs;
  }

  static async open(hello: Partial<HelloRequest> = {}): Promise<LoggingTasks> {
    const logs = mkdtempSync(join(tmpdir(), 'spawn-logs-'));
    const blobs = await openBlobs(join(logs, 'blobs'));
    const at = await LedgerAtHand.open({ logs: openSegments(logs), blobs });
    const size = { cpus: 4_096, memoryBytes: 2 ** 40 };
    return new LoggingTasks(at, await WorkerAtHand.join(at, { resources: size, ...hello }), logs);
  }

  dispose(): void {
    rmSync(this.logs, { recursive: true });
  }

  /** Reports ends, all in one exchange. */
  async end(job: number, ends: readonly ReportedEnd[]): Promise<void> {
    const { worker } = this;
    const fences = new Map([...worker.held].filter(([, held]) => held.job === job).map(([f, h]) => [h.position, f]));
    const places = ends.map(({ position, stderr = '' }) => this.#write(job, position, fences.get(position)!, stderr));
    for (const { position } of ends) worker.held.delete(fences.get(position)!);
    await worker.say({
      ends: {
        runs: ends.map(({ position }) => [fences.get(position)!, 1]),
        outcome: ends.map(({ outcome = 0 }) => outcome),
        wallUs: ends.map(({ wallUs = 1_000 }) => wallUs),
        logSegment: ends.map(() => SEGMENT),
        logOffset: places.map(({ from }) => from),
        logEndSegment: ends.map(() => SEGMENT),
        logEndOffset: places.map(({ to }) => to),
        errBytes: ends.map(({ stderr = '' }) => Buffer.byteLength(stderr)),
      },
    });
    await this.at.ledger.idle();
  }

  #write(job: number, position: number, fence: number, data: string): { from: number; to: number } {
    const folder = join(this.logs, String(job));
    const file = join(folder, `${this.worker.sessionId}-1-1.seg`);
    mkdirSync(folder, { recursive: true });
    const from = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    if (data === '') return { from, to: from };
    const bytes = logBytes({ position, stream: LogStream.STDERR, data, fence });
    appendFileSync(file, bytes);
    return { from, to: from + bytes.length };
  }
}
