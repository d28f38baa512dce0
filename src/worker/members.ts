import { constants } from 'node:os';
import type { GangMessage, MemberEndMessage, MemberMessage, MemberReport } from '../api/gang.ts';
import type { FenceRun, StreamMessage } from '../api/session.ts';
import type { Needs } from '../core/resources.ts';
import type { Occupancy } from './occupancy.ts';
import type { Outbox } from './outbox.ts';
import type { StepPlaces } from './step-places.ts';

/** Longest reason that a report carries. */
const MAX_REASON = 1_024;
const GOES = 'the worker goes';

type Passed = Extract<StreamMessage, { type: 'suspend' | 'resume' | 'signal' }>;

export interface MembersOptions {
  /** Absent: this worker starts no steps, and members of gangs fail here. */
  readonly steps: StepPlaces | undefined;
  readonly occupancy: Occupancy;
  readonly outbox: Outbox;
  /** Named amounts of each node of a job. */
  readonly resourcesOf: (jobId: number, lane: number) => Readonly<Record<string, number>>;
  /** There is something to say, or room for something to start. */
  readonly onChange: () => void;
  /** One line for a person. */
  readonly log: (line: string) => void;
}

/** The parts that this worker has in gangs whose tasks run elsewhere, by the fences of those: each holds its share until its steps are gone. */
export class Members {
  readonly #options: MembersOptions;
  /** What was said of each; undefined while its place is being made. */
  readonly #reports = new Map<number, MemberReport | undefined>();
  /** Those whose share is not free yet, in the order in which they came. */
  #waiting: MemberMessage[] = [];
  /** Places that are being made. */
  readonly #admitting = new Map<number, Promise<unknown>>();

  constructor(options: MembersOptions) {
    this.#options = options;
  }

  /** Those that hold a share, also while what is left of their steps is ended. */
  get count(): number {
    return this.#options.occupancy.members;
  }

  /** For an exchange that lists all that is held. */
  fences(): number[] {
    return [...this.#reports.keys()];
  }

  take(message: MemberMessage | MemberEndMessage | GangMessage): void {
    switch (message.type) {
      case 'member':
        this.#admit(message);
        break;
      case 'memberEnd':
        for (const fence of this.#among(message.fences)) void this.#release(fence);
        break;
      case 'gang':
        // One that is over would leave what nobody removes.
        if (this.#options.outbox.held.has(message.fence)) this.#options.steps?.gangReady(message);
        break;
    }
  }

  /** To what runs of the steps of members. */
  pass(message: Passed): void {
    if (message.type === 'signal' && message.mainOnly) return;
    const { SIGSTOP, SIGCONT } = constants.signals;
    const signal = message.type === 'signal' ? message.signal : message.type === 'suspend' ? SIGSTOP : SIGCONT;
    for (const fence of this.#among(message.fences)) this.#options.steps?.signal(fence, signal);
  }

  /** The worker goes: all of them fail, and their gangs with them. */
  giveUp(): void {
    this.#waiting = [];
    for (const [fence, report] of this.#reports) {
      if (report === undefined || !('failed' in report)) this.#say({ fence, failed: GOES });
    }
  }

  /** Nothing of them is left when it resolves. */
  async close(): Promise<void> {
    await this.#options.steps?.close();
  }

  /** Something may have become free: makes the places that waited for it. */
  admitWaiting(): void {
    const next = () => this.#waiting.findIndex((message) => !this.#options.occupancy.mustWait(this.#needsOf(message)));
    for (let at = next(); at >= 0; at = next()) {
      for (const message of this.#waiting.splice(at, 1)) void this.#open(message);
    }
  }

  /** The coordinator counts what is over as free; here it is when its last process has ended. */
  #admit(message: MemberMessage): void {
    const { fence } = message;
    const known = this.#reports.get(fence);
    // Told again: the same answer. While the place is being made, it comes by itself.
    if (known !== undefined) this.#say(known);
    if (this.#reports.has(fence)) return;
    this.#reports.set(fence, undefined);
    if (this.#options.outbox.draining) this.#say({ fence, failed: GOES });
    else this.#waiting.push(message);
    this.admitWaiting();
  }

  #needsOf(message: MemberMessage): Needs {
    const { occupancy, resourcesOf } = this.#options;
    return occupancy.needsOf({ ...message, resources: resourcesOf(message.job, message.lane ?? 0) });
  }

  async #open(message: MemberMessage): Promise<void> {
    const { steps, occupancy } = this.#options;
    const { fence, job } = message;
    try {
      if (steps === undefined) throw new Error('this worker starts no steps');
      const devices = occupancy.hold(fence, this.#needsOf(message));
      const admitting = steps.admit(message, devices);
      this.#admitting.set(fence, admitting);
      const { address, port } = await admitting.finally(() => this.#admitting.delete(fence));
      if (this.#reports.has(fence) && this.#reports.get(fence) === undefined) this.#say({ fence, address, port });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#options.log(`no place for the steps of job ${job}: ${why}`);
      if (this.#reports.has(fence)) this.#say({ fence, failed: why.slice(0, MAX_REASON) || 'unknown' });
    }
  }

  async #release(fence: number): Promise<void> {
    const { steps, occupancy, onChange, log } = this.#options;
    if (!this.#reports.delete(fence)) return;
    this.#waiting = this.#waiting.filter((message) => message.fence !== fence);
    // One that is being made would be left open.
    await this.#admitting.get(fence)?.catch(() => {});
    try {
      await steps?.release(fence);
    } catch (error) {
      log(`the steps of an attempt could not be ended: ${String(error)}`);
    }
    occupancy.free(fence);
    this.admitWaiting();
    onChange();
  }

  #say(report: MemberReport): void {
    this.#reports.set(report.fence, report);
    this.#options.outbox.member(report);
    this.#options.onChange();
  }

  #among(runs: readonly FenceRun[]): number[] {
    const isNamed = (fence: number) => runs.some(([base, count]) => fence >= base && fence < base + count);
    return this.fences().filter(isNamed);
  }
}
