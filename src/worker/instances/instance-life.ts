import type { InstanceState } from '../../api/instance.ts';
import type { InstanceMemory, OwnSettings } from '../../api/instance-memory.ts';
import type { Directive, InstanceReport, MachineOrder } from '../../api/instance-session.ts';
import { firstReading, type Idleness, idleMs, nextReading, readingPauseMs } from '../../core/instance-idle.ts';
import {
  type Decision,
  decide,
  type LifecycleReason,
  type LifecycleSettings,
  type LifecycleWarning,
  type WarningKind,
} from '../../core/instance-lifecycle.ts';
import { type InstanceTime, moveDeadline, passTime, setRunning, startTime } from '../../core/instance-time.ts';
import type { MachineActivity } from '../../providers/provider.ts';
import type { InstanceClock } from './boot-clock.ts';
import { saysMore } from './directive-news.ts';
import { MACHINE_GRACE_MS, MOST_END_MS } from './end-times.ts';

type Completion = NonNullable<InstanceReport['completion']>;
const MOST_WARNINGS = 20;

/** How one instance is and what it was told; decides what comes next. Carries nothing out. */
export class InstanceLife {
  readonly order: MachineOrder;
  readonly #clock: InstanceClock;
  #time: InstanceTime;
  #idleness: Idleness | undefined;
  #warned: ReadonlySet<WarningKind>;
  #unsaid: LifecycleWarning[] = [];
  #interruptAtMs: number | undefined;
  #frozenAtMs: number | undefined;
  #restedAt: number | undefined;
  #completionServed: boolean;
  #directiveIsOld: boolean;
  readonly startedWallMs: number;
  state: Exclude<InstanceState, 'pending'> = 'running';
  reason: LifecycleReason | undefined;
  message: string | undefined;
  directive: Directive | undefined;
  completion: Completion | undefined;
  ended: 'success' | 'failed' | undefined;
  own: OwnSettings;
  /** Version of the peers document that is in place. */
  peers = 0;

  /** @param adopted what the memory says still holds; else the machine has just started, and only what lasts over that does */
  constructor(order: MachineOrder, memory: InstanceMemory | undefined, adopted: boolean, clock: InstanceClock) {
    this.order = order;
    this.#clock = clock;
    this.#time = memory === undefined ? startTime(clock.bootMs(), order.ttlMs) : this.#resume(memory);
    this.own = memory?.own ?? {};
    this.directive = memory?.directive;
    this.#directiveIsOld = !adopted;
    this.#completionServed = memory?.completionServed ?? false;
    this.completion = memory?.completion;
    this.ended = memory?.ended;
    this.#warned = new Set(memory?.warned);
    if (adopted && memory !== undefined) {
      this.state = memory.state;
      this.reason = memory.reason;
      this.#restedAt = memory.restedAt;
      this.#interruptAtMs = memory.interruptAtMs;
      this.#frozenAtMs = memory.frozenAtMs;
    }
    this.pass();
    this.#time = setRunning(this.#time, this.state !== 'hibernated');
    this.startedWallMs = clock.wallMs() - this.#time.ranMs;
  }

  get time(): InstanceTime {
    return this.#time;
  }

  get size(): number {
    return this.directive?.size ?? this.order.size;
  }

  get settings(): LifecycleSettings & { readonly idleCpuPercent: number } {
    const { ttlMode, idleTimeoutMs, idleCpuPercent, onIdle, onComplete, retries, rate } = this.order;
    const { own } = this;
    return {
      ttlMode,
      rate,
      // Not knowing it, the coordinator says when nothing comes after.
      retries: retries ?? true,
      idleTimeoutMs: own.idleTimeoutMs ?? idleTimeoutMs,
      idleCpuPercent: own.idleCpuPercent ?? idleCpuPercent,
      onIdle: own.onIdle ?? onIdle,
      onComplete: own.onComplete ?? onComplete,
    };
  }

  get preStop(): { readonly command: string; readonly timeoutMs: number } | undefined {
    const command = this.own.preStop ?? this.order.preStop;
    if (command === undefined || command === '') return undefined;
    return { command, timeoutMs: this.own.preStopTimeoutMs ?? this.order.preStopTimeoutMs };
  }

  /** What it may spend over its whole life, USD: of a machine that was started again not what its agent was told before. */
  get costShare(): number | undefined {
    const { directive, order } = this;
    return directive === undefined || this.#directiveIsOld ? order.costShare : directive.costShare;
  }

  /** From a decision to end until nothing runs, at most. */
  get endMs(): number {
    return (this.preStop?.timeoutMs ?? 0) + Math.min(MOST_END_MS, this.order.graceMs ?? MOST_END_MS) + MACHINE_GRACE_MS;
  }

  get interruptInMs(): number | undefined {
    return this.#interruptAtMs === undefined ? undefined : this.#interruptAtMs - this.#clock.bootMs();
  }

  /** From now on nothing of it moves. */
  stoodStillFrom(): void {
    this.#frozenAtMs = this.#clock.bootMs();
  }

  /** For how long nothing of it has moved. */
  stoodStillMs(): number {
    const since = this.#frozenAtMs;
    this.#frozenAtMs = undefined;
    return since === undefined ? 0 : Math.max(0, this.#clock.bootMs() - since);
  }

  /** It stops or ends, or has. */
  get isEnding(): boolean {
    return this.state !== 'running' && this.state !== 'hibernated';
  }

  /** Nothing of it runs: at most there is something left to say. */
  get isDown(): boolean {
    return this.state === 'stopped' || this.state === 'terminated';
  }

  get idleForMs(): number | undefined {
    return this.#idleness === undefined ? undefined : idleMs(this.#idleness);
  }

  get cpuPercent(): number | undefined {
    return this.#idleness?.cpuPercent;
  }

  get bytesPerMinute(): number | undefined {
    return this.#idleness?.bytesPerMinute;
  }

  /** Time goes on until now. */
  pass(): void {
    this.#time = passTime(this.#time, this.order.ttlMode, this.#clock.bootMs());
  }

  /** Of now on. */
  setRuns(runs: boolean): void {
    this.pass();
    this.#time = setRunning(this.#time, runs);
    // What was measured says nothing of the time after.
    this.#idleness = undefined;
  }

  /** So long from now; undefined: no deadline. */
  moveDeadline(ttlLeftMs: number | undefined): void {
    this.pass();
    this.#time = moveDeadline(this.#time, ttlLeftMs);
  }

  /** What it says that was not known. */
  take(directive: Directive): 'nothing' | 'peers' | 'more' {
    const { directive: last } = this;
    const isNew = directive.version > (last?.version ?? 0);
    // It was sent before something that was said since: only on another road can that happen.
    if (directive.version < (last?.version ?? 0)) return 'nothing';
    this.pass();
    const says = last === undefined || this.#directiveIsOld || saysMore(last, directive, this.#time.ttlLeftMs);
    // That members came or went is no reason to wake up.
    if (!says && this.#restedAt === last.version) this.#restedAt = directive.version;
    if (isNew) {
      this.moveDeadline(directive.ttlLeftMs);
      const { interruptInMs } = directive;
      this.#interruptAtMs = interruptInMs === undefined ? undefined : this.#clock.bootMs() + interruptInMs;
    }
    this.directive = directive;
    this.#directiveIsOld = false;
    return !isNew ? 'nothing' : says ? 'more' : 'peers';
  }

  /** An attempt at its task has started: what was said of its completion was of the one before. */
  attemptStarted(): void {
    this.ended = undefined;
    this.completion = undefined;
    this.#completionServed = false;
  }

  /** It went to rest, or is about to, by its own decision: only a directive that comes later wakes it up. */
  restsByItself(): void {
    this.#restedAt = this.directive?.version ?? 0;
    if (this.reason === 'completed') this.#completionServed = true;
  }

  measured(activity: MachineActivity): void {
    const now = this.#clock.bootMs();
    this.#idleness =
      this.#idleness === undefined
        ? firstReading(activity, now)
        : nextReading(this.#idleness, activity, this.settings.idleCpuPercent, now);
  }

  /** Until the next reading is worth it. */
  get readingPauseMs(): number {
    return readingPauseMs(this.settings.idleTimeoutMs, this.idleForMs ?? 0);
  }

  decide(isActing: boolean): Decision {
    this.pass();
    const decision = decide(this.settings, {
      state: isActing || this.isEnding ? 'ending' : (this.state as 'running' | 'hibernated'),
      wanted: this.#wanted,
      reason: this.directive?.reason,
      interruptInMs: this.interruptInMs,
      completion: this.completion?.status,
      ended: this.ended,
      done: this.directive?.done ?? false,
      completionServed: this.#completionServed,
      ranMs: this.#time.ranMs,
      ttlLeftMs: this.#time.ttlLeftMs,
      ttlSpanMs: this.#time.ttlSpanMs,
      costShare: this.costShare,
      endMs: this.endMs,
      idleMs: this.idleForMs,
      warned: this.#warned,
    });
    this.#warned = decision.holding;
    this.#unsaid = [...this.#unsaid, ...decision.warnings].slice(-MOST_WARNINGS);
    return decision;
  }

  /** For an exchange that is said until it is answered: warnings go along once. */
  report(): InstanceReport {
    this.pass();
    const { ttlLeftMs, ranMs } = this.#time;
    const warnings = this.#unsaid.map(({ kind, text }) => ({ kind, text: text.slice(0, 400) }));
    this.#unsaid = [];
    return {
      version: this.directive?.version ?? 0,
      state: this.state,
      ranMs: Math.round(ranMs),
      ...(this.reason === undefined ? {} : { reason: this.reason }),
      ...(this.message === undefined ? {} : { message: this.message.slice(0, 4_096) }),
      ...(ttlLeftMs === undefined ? {} : { ttlLeftMs: Math.max(0, Math.round(ttlLeftMs)) }),
      ...(this.idleForMs === undefined ? {} : { idleMs: Math.round(this.idleForMs) }),
      ...(this.cpuPercent === undefined ? {} : { cpuPercent: Math.round(this.cpuPercent * 10) / 10 }),
      ...(warnings.length === 0 ? {} : { warnings }),
      ...(this.completion === undefined ? {} : { completion: this.completion }),
    };
  }

  /** @param session that is open; @param parkedMs for how long what runs stood still */
  remember(session: InstanceMemory['session'], parkedMs: number): InstanceMemory {
    this.pass();
    const { ttlLeftMs, ...time } = this.#time;
    const { state, reason, message, directive, completion, ended, own } = this;
    return {
      version: 1,
      ...(session === undefined ? {} : { session }),
      bootId: this.#clock.bootId,
      wallMs: this.#clock.wallMs(),
      time: { ...time, ...(ttlLeftMs === undefined ? {} : { ttlLeftMs }) },
      state,
      ...(reason === undefined ? {} : { reason }),
      ...(message === undefined ? {} : { message }),
      ...(directive === undefined ? {} : { directive }),
      ...(this.#restedAt === undefined ? {} : { restedAt: this.#restedAt }),
      ...(completion === undefined ? {} : { completion }),
      completionServed: this.#completionServed,
      ...(ended === undefined ? {} : { ended }),
      warned: [...this.#warned],
      own,
      parkedMs,
      ...(this.#interruptAtMs === undefined ? {} : { interruptAtMs: this.#interruptAtMs }),
      ...(this.#frozenAtMs === undefined ? {} : { frozenAtMs: this.#frozenAtMs }),
    };
  }

  get #wanted(): Directive['wanted'] {
    if (this.directive === undefined || this.#directiveIsOld) return 'running';
    if (this.state === 'hibernated' && this.directive.version <= (this.#restedAt ?? -1)) {
      return this.directive.wanted === 'running' ? 'hibernated' : this.directive.wanted;
    }
    return this.directive.wanted;
  }

  /** Since another start of the system only the wall clock can say how long ago that was. */
  #resume({ time, bootId, wallMs }: InstanceMemory): InstanceTime {
    const now = this.#clock.bootMs();
    const known = { ...time, ttlLeftMs: time.ttlLeftMs };
    if (bootId === this.#clock.bootId) return known;
    return { ...known, runs: false, atMs: now - Math.max(0, this.#clock.wallMs() - wallMs) };
  }
}
