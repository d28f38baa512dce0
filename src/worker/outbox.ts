import type { MemberReport } from '../api/gang.ts';
import type { InstanceReport } from '../api/instance-session.ts';
import type { Ends, ExchangeRequest, FenceRun, Starts } from '../api/session.ts';
import { MEASURED, type Measured } from '../core/end-chunk.ts';
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
  readonly #returned = new FenceSet();
  #members: MemberReport[] = [];
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
    return this.#ends.length > 0;
  }

  /** When the earliest start that is still unsaid happened. */
  get oldestStartMs(): number | undefined {
    for (const { startedAtMs } of this.#starts.values()) return startedAtMs;
    return undefined;
  }

  started(start: PendingStart): void {
    this.#starts.set(start.fence, start);
  }

  /** An end that comes before its start was said implies it. */
  ended(end: PendingEnd): void {
    this.#starts.delete(end.fence);
    if (this.held.has(end.fence)) this.#ends.push(end);
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
    for (const start of this.#starts.values()) if (!isKept(start)) this.#starts.delete(start.fence);
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

  #takeEnds(): Ends | undefined {
    if (this.#ends.length === 0) return undefined;
    // Tasks of several slots end in mixed order; sorted, their fences make few runs.
    const rows = this.#ends.sort((a, b) => a.fence - b.fence);
    this.#ends = [];
    const fences = new FenceSet();
    for (const { fence } of rows) {
      fences.add(fence);
      this.held.delete(fence);
    }
    const ends: Ends = { runs: fences.runs() };
    for (const name of MEASURED) {
      if (rows.some((row) => row[name] !== 0)) ends[name] = rows.map((row) => row[name]);
    }
    return ends;
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
