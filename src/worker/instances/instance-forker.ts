import type { ForkerChannel } from '../../providers/provider.ts';
import { ForkerLink } from '../forker/link.ts';
import type {
  Forker,
  ForkerCallbacks,
  RunRefused,
  RunRequest,
  TaskEnded,
  TaskSpawnFailed,
  TaskStarted,
} from '../forker/types.ts';
import { withMemory } from './with-memory.ts';

type Answer = { readonly ended: TaskEnded } | { readonly failed: TaskSpawnFailed } | { readonly refused: RunRefused };

/** What the forker said of a run, as long as nobody of this process took it to the end. */
interface Known {
  started: TaskStarted | undefined;
  answer: Answer | undefined;
  /** The session of now was granted it, and is told what becomes of it. */
  isAsked: boolean;
  /** When processes were killed while it ran: they used more memory than the instance has; 0 = not. */
  killedAtMs: number;
}

export interface InstanceForkerOptions {
  readonly channel: ForkerChannel;
  /** What must be in place before a run is sent; gives what its environment has besides. */
  readonly beforeRun: (request: RunRequest) => Promise<readonly string[]>;
  /** For how long the run that goes on had stood still before this process came. */
  readonly parkedMs: number;
}

/** Runs that ended and that no session asked for: of an agent before, or of a session that is over. */
const MOST_FORGOTTEN = 256;

/**
 * The one forker of an instance, for all sessions and all agents that serve it one after the other. What it runs outlives them: a run that it
 * knows already is not sent again, its events are given to whoever asks for it. It has no lease, and is never closed from here.
 */
export class InstanceForker implements Forker {
  readonly #options: InstanceForkerOptions;
  readonly #link: ForkerLink;
  readonly #known = new Map<number, Known>();
  /** Runs that wait for `beforeRun`. */
  readonly #held = new Set<number>();
  /** Time limits of what was sent or asked for, by fence; 0 = none. */
  readonly #limits = new Map<number, number>();
  #callbacks: ForkerCallbacks | undefined;
  #parkedMs: number;
  #isParked = false;
  #isGone = false;
  #onAnswer: (() => void)[] = [];

  constructor(options: InstanceForkerOptions) {
    this.#options = options;
    this.#parkedMs = options.parkedMs;
    const { channel } = options;
    const pipe = {
      send: (bytes: Uint8Array) => {
        if (!this.#isGone) channel.send(bytes);
      },
      // What cannot be read is the end of it for us; what runs there ends with the machine.
      kill: (why: string) => this.#left(why),
      close: async () => {},
    };
    this.#link = new ForkerLink(pipe, {
      onStarted: (event) => {
        const known = this.#knownOf(event.fence);
        known.started = event;
        if (known.isAsked) this.#callbacks?.onStarted(event);
      },
      onEnded: (ended) =>
        this.#answered(ended.fence, { ended: withMemory(ended, this.#known.get(ended.fence)?.killedAtMs ?? 0) }),
      onSpawnFailed: (failed) => this.#answered(failed.fence, { failed }),
      onRefused: (refused) => this.#answered(refused.fence, { refused }),
      onBatchEnd: () => this.#callbacks?.onBatchEnd?.(),
      onExit: (exit) => this.#callbacks?.onExit(exit),
    });
    const push = (bytes: Uint8Array) => this.#link.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    channel.onData(push, () => {
      for (const fence of this.#live()) this.#known.get(fence)!.killedAtMs = performance.now();
    });
    channel.onClose(() => this.#left('its machine is gone'));
  }

  get kind() {
    return this.#link.kind;
  }

  get capabilities() {
    return this.#link.capabilities;
  }

  get pid() {
    return this.#options.channel.pid;
  }

  get unfinishedCount(): number {
    return this.#link.unfinishedCount + this.#held.size;
  }

  get readied(): Promise<void> {
    return this.#link.readied;
  }

  /** For how long what runs has stood still. */
  get parkedMs(): number {
    return this.#parkedMs;
  }

  /** A session takes it over. */
  attach(callbacks: ForkerCallbacks): void {
    this.#callbacks = callbacks;
    for (const known of this.#known.values()) known.isAsked = false;
  }

  detach(callbacks: ForkerCallbacks): void {
    if (this.#callbacks === callbacks) this.#callbacks = undefined;
  }

  /** Ends what runs and was not granted to the session of now. */
  killUnasked(graceMs: number): void {
    for (const [fence, { started, answer, isAsked }] of this.#known) {
      if (started !== undefined && answer === undefined && !isAsked) this.#link.kill(fence, 'cancel', graceMs);
    }
  }

  /** The same, for a cause that is reported; resolves when it has ended, or the machine has. */
  async endUnasked(cause: 'cancel' | 'shutdown', graceMs: number): Promise<void> {
    const fences = this.#live().filter((fence) => this.#known.get(fence)?.isAsked === false);
    for (const fence of fences) this.#link.kill(fence, cause, graceMs);
    const isLive = (fence: number): boolean => {
      const known = this.#known.get(fence);
      return known !== undefined && known.answer === undefined;
    };
    while (!this.#isGone && fences.some(isLive)) {
      await new Promise<void>((resolve) => this.#onAnswer.push(resolve));
    }
  }

  setEnv(envId: number, env: readonly string[]): void {
    // Whoever was here before may have used the number: what runs keeps what it has.
    this.#link.setEnv(envId, env);
  }

  dropEnv(envId: number): void {
    this.#link.dropEnv(envId);
  }

  openLogs(logDir: string, sessionTag: string): void {
    this.#link.openLogs(logDir, sessionTag);
  }

  forgetJob(jobId: number): void {
    this.#link.forgetJob(jobId);
  }

  run(request: RunRequest): void {
    const { fence, timeLimitMs = 0 } = request;
    this.#limits.set(fence, timeLimitMs);
    const known = this.#known.get(fence);
    if (known !== undefined) {
      known.isAsked = true;
      queueMicrotask(() => this.#replay(fence, known));
      return;
    }
    this.#parkedMs = 0;
    this.#held.add(fence);
    this.#options.beforeRun(request).then(
      (more) => {
        if (!this.#held.delete(fence) || this.#isGone) return;
        this.#known.set(fence, { started: undefined, answer: undefined, isAsked: true, killedAtMs: 0 });
        // In an instance is one task: nothing waits behind another.
        const { queue: _, ...alone } = request;
        this.#link.run({ ...alone, env: [...(request.env ?? []), ...more] });
      },
      () => this.#giveBack(fence),
    );
  }

  kill(fence: number, cause: 'cancel' | 'timeLimit' | 'lease' | 'shutdown', graceMs: number): void {
    if (this.#held.has(fence)) this.#giveBack(fence);
    else this.#link.kill(fence, cause, graceMs);
  }

  withdraw(fence: number): void {
    if (this.#held.has(fence)) this.#giveBack(fence);
    else this.#link.withdraw(fence);
  }

  signal(fence: number, signal: number, mainOnly: boolean): void {
    this.#link.signal(fence, signal, mainOnly);
  }

  suspend(fence: number, on: boolean): void {
    this.#link.suspend(fence, on);
  }

  limit(fence: number, timeLimitMs: number): void {
    this.#limits.set(fence, timeLimitMs);
    if (!this.#isParked) this.#link.limit(fence, timeLimitMs === 0 ? 0 : timeLimitMs + this.#parkedMs);
  }

  /** The processes are about to stand still: no time limit runs out meanwhile. */
  park(): void {
    this.#isParked = true;
    for (const fence of this.#live()) this.#link.limit(fence, 0);
  }

  /** Before they go on: so much later than their limits said. */
  unpark(stoodStillMs: number): void {
    this.#isParked = false;
    this.#parkedMs += Math.round(stoodStillMs);
    for (const fence of this.#live()) this.limit(fence, this.#limits.get(fence) ?? 0);
  }

  lease(): void {}

  quit(): void {}

  async close(): Promise<void> {}

  #live(): number[] {
    return [...this.#known].flatMap(([fence, { started, answer }]) =>
      started !== undefined && answer === undefined ? [fence] : [],
    );
  }

  #knownOf(fence: number): Known {
    let known = this.#known.get(fence);
    if (known === undefined) {
      known = { started: undefined, answer: undefined, isAsked: false, killedAtMs: 0 };
      this.#known.set(fence, known);
    }
    return known;
  }

  #answered(fence: number, answer: Answer): void {
    // It was sent by an agent before, and comes to an end under the fence that it has.
    if ('refused' in answer && answer.refused.reason === 'duplicateFence') return;
    const known = this.#knownOf(fence);
    known.answer = answer;
    this.#wake();
    if (known.isAsked && this.#callbacks !== undefined) this.#give(fence, answer);
    else this.#forgetOldest();
  }

  #replay(fence: number, { started, answer }: Known): void {
    if (this.#callbacks === undefined) return;
    if (started !== undefined) this.#callbacks.onStarted(started);
    if (answer !== undefined) this.#give(fence, answer);
    else if (!this.#isParked && this.#parkedMs > 0) this.limit(fence, this.#limits.get(fence)!);
    this.#callbacks.onBatchEnd?.();
  }

  #give(fence: number, answer: Answer): void {
    this.#known.delete(fence);
    this.#limits.delete(fence);
    if ('ended' in answer) this.#callbacks?.onEnded(answer.ended);
    else if ('failed' in answer) this.#callbacks?.onSpawnFailed(answer.failed);
    else this.#callbacks?.onRefused(answer.refused);
  }

  #forgetOldest(): void {
    const ended = [...this.#known].filter(([, { answer }]) => answer !== undefined);
    for (const [fence] of ended.slice(0, Math.max(0, ended.length - MOST_FORGOTTEN))) this.#known.delete(fence);
  }

  #giveBack(fence: number): void {
    if (!this.#held.delete(fence)) return;
    this.#limits.delete(fence);
    queueMicrotask(() => {
      this.#callbacks?.onRefused({ fence, reason: 'withdrawn' });
      this.#callbacks?.onBatchEnd?.();
    });
  }

  #wake(): void {
    for (const wake of this.#onAnswer.splice(0)) wake();
  }

  #left(why: string): void {
    this.#isGone = true;
    this.#wake();
    this.#held.clear();
    this.#link.left({ code: null, signal: null, stderr: why });
  }
}
