import { join } from 'node:path';
import type { FenceRun } from '../../api/session.ts';
import type { TaskCalls } from '../calls/task-calls.ts';
import type { EndColumns } from '../end-columns.ts';
import type { ForkerKind, LeaseClock } from '../forker/types.ts';
import type { ForkerPort } from '../forker-lives.ts';
import type { KnownJob } from '../job-book.ts';
import type { Occupancy } from '../occupancy.ts';
import type { PendingStart } from '../outbox.ts';
import type { Fit, Grant, GrantedRun } from '../queue.ts';
import type { ResultWriter } from '../records/results.ts';
import { HOST_LOG_LIFE, SegmentWriter } from '../records/segment-writer.ts';
import { HostDoors } from './doors.ts';
import { HostForker } from './host-forker.ts';
import { hasParams, hostJobOf, missingParams, paramsFrom } from './host-job.ts';
import { HostLane, type LaneSlot, MOST_AHEAD } from './lane.ts';
import type { HostRun } from './outstanding.ts';
import { EndSayer } from './said-ends.ts';
import { HostSlot } from './slot.ts';
import type { RichEnd } from './slot-options.ts';
import { takeCall } from './take-call.ts';

export interface HostPoolOptions {
  /** A directory of the session. */
  readonly directory: string;
  readonly port: ForkerPort;
  readonly kind: ForkerKind | undefined;
  readonly sessionId: number;
  readonly logDir: string;
  readonly occupancy: Occupancy;
  readonly results: ResultWriter;
  readonly calls: TaskCalls;
  /** A piece of a plan by its hash. */
  readonly getPiece: (hash: string) => Promise<Uint8Array>;
  /** Name of this worker, when it is on another machine than its coordinator. */
  readonly elsewhere: string | undefined;
  /** Environment of the devices of a host. */
  readonly devicesEnv: (devices: readonly number[]) => readonly string[];
  readonly onStarted: (start: PendingStart) => void;
  readonly onEnded: (ends: EndColumns, jobId: number) => void;
  readonly onReturned: (runs: readonly FenceRun[]) => void;
  /** There is something to say, or room. */
  readonly onChange: () => void;
  readonly onFailed: (error: unknown) => void;
}

/** A host without work stays for so long, and so many of all jobs do. */
const IDLE_MS = 20_000;
const MOST_IDLE = 8;
/** Gives up to so many of the next tasks of the same lane. */
type More = (most: number, mayGo?: (position: number) => boolean) => readonly GrantedRun[];

/** The hosts of a session: warm processes that run handlers, each for one job and one task at a time. */
export class HostPool {
  readonly #options: HostPoolOptions;
  readonly #doors: HostDoors;
  readonly #forker: HostForker;
  readonly #logs: SegmentWriter;
  readonly #lanes = new Map<KnownJob, HostLane>();
  readonly #sayer: EndSayer;
  #sweep: NodeJS.Timeout | undefined;

  constructor(options: HostPoolOptions) {
    this.#options = options;
    const { directory, port, kind, logDir, sessionId, onFailed } = options;
    this.#doors = new HostDoors(directory);
    this.#forker = new HostForker({ directory: join(directory, 'words'), port, kind });
    this.#logs = new SegmentWriter({ logDir, sessionId, life: HOST_LOG_LIFE, onFailed, isDurable: false });
    this.#sayer = new EndSayer({ ...options, logs: this.#logs });
  }

  /** Tasks that are here, whether they run or not, and ends that are not said yet. */
  get count(): number {
    let count = this.#sayer.unsaid.count;
    for (const { slot } of this.#slots()) count += slot.tasks.count;
    return count;
  }

  /** Jobs of which anything runs. */
  *jobs(): Generator<number> {
    for (const [job, { slots }] of this.#lanes) if (slots.some(({ isBusy }) => isBusy)) yield job.description.id;
  }

  /** Fences of tasks that were said to have started. */
  *started(): Generator<number> {
    for (const { slot } of this.#slots()) if (slot.started !== undefined) yield slot.started;
    for (const [base, count] of this.#sayer.unsaid.runs()) for (let at = 0; at < count; at++) yield base + at;
  }

  /** The lease of the session. */
  lease(ms: number, graceMs: number, clock: LeaseClock | undefined): void {
    this.#forker.lease(ms, graceMs, clock);
  }

  /** @param alone no task of another job or lane waits, so that none may be passed */
  fitOf(job: KnownJob, position: number, alone: boolean, isIdle: boolean): Fit {
    if (job.prepared === undefined || !hasParams(job, position)) return 'unprepared';
    const lane = this.#lanes.get(job);
    if (job.prepared.missing !== undefined || lane?.unusable !== undefined) return 'fits';
    if (isIdle || this.#options.occupancy.fits(job.needs)) return 'fits';
    return alone && lane?.slotWithRoom !== undefined ? 'fits' : 'busy';
  }

  /** Starts a task of a lane, and what else it may have of those that `more` gives. */
  start(job: KnownJob, grant: Grant, more: More): void {
    const lane = this.#laneOf(job);
    const first = { ...grant, count: 1 };
    const unusable = this.#whyNot(job, lane);
    const noParams = missingParams(job, grant.position);
    if (unusable !== undefined) this.#sayer.fail(job, [first, ...more(MOST_AHEAD)], unusable);
    else if (noParams !== undefined) this.#sayer.fail(job, [first], noParams);
    else this.#give(job, lane, first, more);
  }

  #give(job: KnownJob, lane: HostLane, first: HostRun, more: More): void {
    const entry = this.#freeSlot(job, lane) ?? lane.slotWithRoom!;
    const { slot } = entry;
    slot.tasks.add(first);
    const mayGo = (position: number) => hasParams(job, position) && missingParams(job, position) === undefined;
    const isTable = job.description.paramTable !== undefined;
    const runs = more(lane.window - slot.tasks.count, isTable ? mayGo : undefined);
    for (const run of runs) slot.tasks.add(run);
    slot.go();
  }

  revoke(base: number, count: number): void {
    for (const { slot } of this.#slots()) slot.revoke(base, count);
  }

  cancel(base: number, count: number): void {
    for (const { slot } of this.#slots()) slot.cancel(base, count);
  }

  drop(base: number, count: number): void {
    for (const { slot } of this.#slots()) slot.drop(base, count);
  }

  limit(base: number, count: number, timeLimitMs: number): void {
    for (const { slot } of this.#slots()) slot.limit(base, count, timeLimitMs);
  }

  suspend(base: number, count: number, isOn: boolean): void {
    for (const { slot } of this.#slots()) slot.suspend(base, count, isOn);
  }

  signal(base: number, count: number, signal: number, mainOnly: boolean): void {
    for (const { slot } of this.#slots()) slot.signal(base, count, signal, mainOnly);
  }

  /** Ends what runs because the worker goes. */
  shutDown(mostGraceMs: number): void {
    for (const { slot } of this.#slots()) slot.stop('shutdown', Math.min(slot.job.description.graceMs, mostGraceMs));
  }

  /** The job is over here. */
  forget(jobs: readonly KnownJob[]): void {
    for (const job of jobs) {
      const lane = this.#laneOf(job);
      for (const entry of lane.slots) {
        entry.slot.takeAll();
        this.#settle(job, lane, entry.slot);
        this.#discard(job, lane, entry);
      }
      this.#lanes.delete(job);
      this.#forker.forget(job);
    }
    const [job] = jobs;
    if (job !== undefined) void this.#logs.forget(job.description.id);
  }

  async close(): Promise<void> {
    clearInterval(this.#sweep);
    await Promise.all([...this.#slots()].map(({ slot }) => slot.close()));
    await this.#forker.close();
    this.#doors.close();
    await this.#logs.close();
  }

  #slots(): LaneSlot[] {
    return [...this.#lanes.values()].flatMap(({ slots }) => slots);
  }

  #laneOf(job: KnownJob): HostLane {
    let lane = this.#lanes.get(job);
    if (lane === undefined) {
      lane = new HostLane();
      this.#lanes.set(job, lane);
    }
    return lane;
  }

  #whyNot(job: KnownJob, lane: HostLane): string | undefined {
    const text = job.prepared!.missing ?? lane.unusable;
    if (text !== undefined) return text;
    const short = this.#options.occupancy.shortOf(job.needs);
    return short === undefined ? undefined : `this worker has too few of: ${short}`;
  }

  /** One that has nothing to do, with resources from now on. */
  #freeSlot(job: KnownJob, lane: HostLane): LaneSlot | undefined {
    const { occupancy } = this.#options;
    const isIdle = occupancy.hosts === 0;
    if (!occupancy.fits(job.needs) && !isIdle && lane.slotWithRoom !== undefined) return undefined;
    const warm = lane.idleSlot;
    occupancy.hosts += 1;
    if (warm !== undefined) {
      occupancy.take(job.needs);
      warm.isBusy = true;
      return warm;
    }
    const devices = occupancy.take(job.needs);
    const entry: LaneSlot = { slot: this.#newSlot(job, lane, devices), devices, isBusy: true };
    lane.slots.push(entry);
    this.#sweep ??= setInterval(() => this.#closeIdle(), IDLE_MS / 4).unref();
    this.#closeIdle();
    return entry;
  }

  #newSlot(job: KnownJob, lane: HostLane, devices: readonly number[]): HostSlot {
    const { elsewhere, devicesEnv, calls, getPiece, onStarted, onReturned, onChange } = this.#options;
    const { description } = job;
    const hasOutput = description.output !== undefined;
    const slot: HostSlot = new HostSlot({
      ...{ job, elsewhere, onStarted, onReturned },
      hostJob: hostJobOf(job),
      places: { doors: this.#doors, forker: this.#forker },
      logs: this.#logs,
      env: devicesEnv(devices),
      paramsOf: (position, count) => paramsFrom(job, position, count),
      isRich: (fence) => hasOutput || calls.known(fence) !== undefined,
      onEnds: (plain, rich) => this.#ended(job, lane, plain, rich),
      onCall: ({ fence, position, attempt }, kind, data, answer) => {
        const attemptCalls = () => calls.of({ jobId: description.id, fence, position, attempt });
        void takeCall({ calls: attemptCalls, getPiece }, kind, data, answer);
      },
      onUnusable: (text) => {
        lane.noteUnusable(text);
        this.#sayer.fail(job, slot.takeAll(), text);
      },
      onChange: () => {
        this.#settle(job, lane, slot);
        onChange();
      },
    });
    return slot;
  }

  /** A slot without tasks gives back what it has of the worker. */
  #settle(job: KnownJob, lane: HostLane, slot: HostSlot): void {
    const entry = lane.slots.find((one) => one.slot === slot);
    if (entry === undefined || !entry.isBusy || slot.tasks.count > 0) return;
    entry.isBusy = false;
    slot.idleSinceMs = performance.now();
    const { occupancy } = this.#options;
    occupancy.hosts -= 1;
    occupancy.give(job.needs, [], true);
    // Which devices it sees cannot be changed, and others may want them.
    if (entry.devices.length > 0) this.#discard(job, lane, entry);
  }

  #discard(job: KnownJob, lane: HostLane, entry: LaneSlot): void {
    if (!lane.slots.includes(entry)) return;
    lane.slots = lane.slots.filter((one) => one !== entry);
    void entry.slot.close().then(() => {
      this.#giveDevices(job, entry.devices);
      this.#options.onChange();
    });
  }

  #giveDevices(job: KnownJob, devices: readonly number[]): void {
    if (devices.length > 0) this.#options.occupancy.give(job.needs, devices, false);
  }

  /** Those that had nothing to do for long, and the oldest of too many. */
  #closeIdle(): void {
    const idle = [...this.#lanes].flatMap(([job, lane]) =>
      lane.slots.flatMap((entry) => (entry.isBusy ? [] : [{ job, lane, entry }])),
    );
    const before = performance.now() - IDLE_MS;
    const byAge = idle.toSorted((a, b) => a.entry.slot.idleSinceMs - b.entry.slot.idleSinceMs);
    for (const [at, { job, lane, entry }] of byAge.entries()) {
      if (entry.slot.idleSinceMs < before || byAge.length - at > MOST_IDLE) this.#discard(job, lane, entry);
    }
  }

  #ended(job: KnownJob, lane: HostLane, plain: EndColumns, rich: readonly RichEnd[]): void {
    const wallUs = rich.reduce((sum, end) => sum + end.wallUs, plain.wallUs);
    lane.note(wallUs, rich.length + plain.count);
    if (plain.count > 0) this.#options.onEnded(plain, job.description.id);
    void this.#sayer.say(job, rich);
  }
}
