import type { Planned } from '../api/data.ts';
import type { MemberReport } from '../api/gang.ts';
import type { InstanceReport } from '../api/instance-session.ts';
import type { Ends, ExchangeRequest, FenceRun, Progress, Starts } from '../api/session.ts';
import type { Measured } from '../core/end-chunk.ts';
import { EndColumns } from './end-columns.ts';
import { FenceSet } from './fence-set.ts';

/** An attempt that started and was not reported yet. */
export interface PendingStart {
  readonly fence: number;
  /** On the worker's monotonic clock. */
  readonly startedAtMs: number;
  readonly logSegment: number;
  readonly logOffset: number;
}

/** An attempt that ended. All numbers as in `Ends` of the contract. */
export interface PendingEnd extends Readonly<Measured> {
  readonly fence: number;
}

/** What attempts say of their progress is passed on no more often than this, however often they say it. */
const PROGRESS_EVERY_MS = 1_000;
/** In one exchange. */
const MOST_PROGRESS = 10_000;
const MOST_PLANNED = 1_000;

const START_COLUMNS = ['logSegment', 'logOffset'] as const;

/**
 * What the worker has to say, until an exchange takes it along. It is taken once: whoever takes it says it until it is answered.
 * Keeps the account of what is held as well, because both change at the same moment.
 */
export class Outbox {
  /** Granted, and neither given back nor ended in an exchange that was taken. */
  readonly held = new FenceSet();
  readonly #starts = new Map<number, PendingStart>();
  #ends: PendingEnd[] = [];
  /** Of attempts that ended in crowds. */
  #crowd = new EndColumns();
  readonly #returned = new FenceSet();
  #members: MemberReport[] = [];
  /** The last word of each attempt that has not been passed on. */
  readonly #progress = new Map<number, Progress>();
  #progressSaidMs = Number.NEGATIVE_INFINITY;
  readonly #planned: Planned[] = [];
  /** The next exchange lists all that is held. */
  resync = false;
  draining = false;
  /** The next exchange must not wait for others to join it. */
  urgent = false;
  /** Fences of the gangs of which a member is here. */
  membersHeld: () => number[] = () => [];
  /** Of a bound instance: how it is. */
  readonly #report: (() => InstanceReport) | undefined;

  constructor(report?: () => InstanceReport) {
    this.#report = report;
  }

  get hasEnds(): boolean {
    return this.#ends.length > 0 || this.#crowd.count > 0;
  }

  /** When the earliest start that is still unsaid happened. */
  get oldestStartMs(): number | undefined {
    for (const { startedAtMs } of this.#starts.values()) return startedAtMs;
    return undefined;
  }

  /** When what attempts say of their progress may be told; undefined: nobody has said anything. */
  get progressAtMs(): number | undefined {
    return this.#progress.size === 0 ? undefined : this.#progressSaidMs + PROGRESS_EVERY_MS;
  }

  /** The last word counts. */
  progress(progress: Progress): void {
    if (this.held.has(progress.fence)) this.#progress.set(progress.fence, progress);
  }

  /** Goes with the end of its attempt, or before. */
  planned(plan: Planned): void {
    this.#planned.push(plan);
  }

  started(start: PendingStart): void {
    this.#starts.set(start.fence, start);
  }

  /** An end that comes before its start was said implies it. */
  ended(end: PendingEnd): void {
    this.#starts.delete(end.fence);
    this.#progress.delete(end.fence);
    if (this.held.has(end.fence)) this.#ends.push(end);
  }

  /** Many at once; those that are not held any more are passed over. */
  endedMany(ends: EndColumns): void {
    if (this.#starts.size > 0)
      for (const fence of [...this.#starts.keys()]) if (isIn(ends.runs, fence)) this.#starts.delete(fence);
    const areHeld = ends.runs.every(([base, count]) => this.held.without(base, count).length === 0);
    this.#crowd.append(areHeld ? ends : ends.only((fence) => this.held.has(fence)));
  }

  returned(runs: readonly FenceRun[]): void {
    for (const [base, count] of runs) this.#returned.add(base, count);
    if (runs.length > 0) this.urgent = true;
  }

  /** What became of a member of a gang here. */
  member(report: MemberReport): void {
    this.#members.push(report);
    this.urgent = true;
  }

  /** These fences are not this worker's any more: nothing is said of them. */
  dropped(base: number, count: number): void {
    this.held.delete(base, count);
    this.#returned.delete(base, count);
    const isKept = ({ fence }: { fence: number }) => fence < base || fence >= base + count;
    this.#ends = this.#ends.filter(isKept);
    if (this.#crowd.runs.some(([from, length]) => from < base + count && base < from + length)) {
      this.#crowd = this.#crowd.only((fence) => isKept({ fence }));
    }
    for (const start of this.#starts.values()) if (!isKept(start)) this.#starts.delete(start.fence);
    for (const word of this.#progress.values()) if (!isKept(word)) this.#progress.delete(word.fence);
  }

  /** @param running fences of attempts that have started, for a resync */
  take(seq: number, ack: number, nowMs: number, running: () => Iterable<number>): ExchangeRequest {
    const ends = this.#takeEnds();
    const starts = this.#takeStarts(nowMs);
    const returned = this.#returned.runs();
    for (const [base, count] of returned) this.held.delete(base, count);
    this.#returned.clear();
    const request: ExchangeRequest = { seq, ack, held: this.held.digest() };
    if (ends !== undefined) request.ends = ends;
    if (starts !== undefined) request.starts = starts;
    if (returned.length > 0) request.returned = returned;
    if (this.#members.length > 0) request.members = this.#members.splice(0);
    if (this.#planned.length > 0) request.planned = this.#planned.splice(0, MOST_PLANNED);
    const progress = this.#takeProgress(nowMs);
    if (progress.length > 0) request.progress = progress;
    if (this.draining) request.draining = true;
    if (this.#report !== undefined) request.instance = this.#report();
    if (this.resync) {
      request.heldRuns = this.held.runs();
      request.startedRuns = this.#startedRuns(running());
      request.heldMembers = this.membersHeld();
    }
    this.resync = false;
    this.urgent = false;
    return request;
  }

  #takeProgress(nowMs: number): Progress[] {
    if (this.#progress.size === 0 || nowMs < this.#progressSaidMs + PROGRESS_EVERY_MS) return [];
    const words = [...this.#progress.values()].slice(0, MOST_PROGRESS);
    for (const { fence } of words) this.#progress.delete(fence);
    if (this.#progress.size === 0) this.#progressSaidMs = nowMs;
    return words;
  }

  #takeEnds(): Ends | undefined {
    if (!this.hasEnds) return undefined;
    const all = this.#crowd;
    this.#crowd = new EndColumns();
    // Tasks of several slots end in mixed order; sorted, their fences make few runs.
    for (const { fence, ...measured } of this.#ends.sort((a, b) => a.fence - b.fence)) all.add(fence, measured);
    this.#ends = [];
    for (const [base, count] of all.runs) this.held.delete(base, count);
    return all.toEnds();
  }

  #takeStarts(nowMs: number): Starts | undefined {
    if (this.#starts.size === 0) return undefined;
    const rows = [...this.#starts.values()];
    this.#starts.clear();
    const starts: Starts = {
      fences: rows.map(({ fence }) => fence),
      agoMs: rows.map(({ startedAtMs }) => Math.max(0, Math.round(nowMs - startedAtMs))),
    };
    for (const name of START_COLUMNS) {
      if (rows.some((row) => row[name] !== 0)) starts[name] = rows.map((row) => row[name]);
    }
    return starts;
  }

  #startedRuns(running: Iterable<number>): FenceRun[] {
    const started = new FenceSet();
    for (const fence of running) if (this.held.has(fence)) started.add(fence);
    return started.runs();
  }
}

function isIn(runs: readonly FenceRun[], fence: number): boolean {
  return runs.some(([base, count]) => fence >= base && fence < base + count);
}
