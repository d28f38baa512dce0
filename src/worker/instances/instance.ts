import type { InstanceMemory } from '../../api/instance-memory.ts';
import type { Directive, InstanceReport } from '../../api/instance-session.ts';
import type { Decision } from '../../core/instance-lifecycle.ts';
import type { Outcome } from '../../core/outcome.ts';
import type { Machine } from '../../providers/provider.ts';
import type { RunRequest } from '../forker/types.ts';
import { carryOut } from './acts.ts';
import type { AgentPlace } from './agent-place.ts';
import { answerInside } from './inside.ts';
import { InstanceFolder } from './instance-folder.ts';
import { InstanceForker } from './instance-forker.ts';
import { InstanceLife } from './instance-life.ts';
import { parseMemory } from './instance-memory.ts';
import { InstanceSessions } from './instance-sessions.ts';
import { brokeInMs, lastGraceMs } from './paid-time.ts';
import type { ServedInstance } from './served-instance.ts';

/** The machine's own deadline lies so much behind the agent's, which then acts first. */
const DEADLINE_MARGIN_MS = 3_000;
/** How old what is remembered may be, ms: what a fall of the system costs. */
const REMEMBER_EVERY_MS = 300_000;
/** Between a directive after a resumed session and the end of what it did not grant again. */
const UNASKED_AFTER_MS = 5_000;
const UNASKED_GRACE_MS = 5_000;

/** One instance that this agent serves: its session, its files, its lifecycle. */
export class Instance implements ServedInstance {
  readonly machine: Machine;
  readonly place: AgentPlace;
  readonly log: (line: string) => void;
  readonly life: InstanceLife;
  readonly folder: InstanceFolder;
  readonly sessions: InstanceSessions;
  /** The pre-stop command ran since it last ran on. */
  hasPreStopped = false;
  readonly #onOver: () => void;
  readonly #forker = Promise.withResolvers<InstanceForker>();
  #known: InstanceForker | undefined;
  #parkedMs: number;
  /** A stop, a hibernation, … is under way. */
  #acting = false;
  #isOver = false;
  #isGone = false;
  #isReading = false;
  #lookAtMs = 0;
  #readAtMs = 0;
  #rememberAtMs: number;
  #deadlineMs: number | undefined = Number.NaN;
  #remembering: Promise<void> = Promise.resolve();
  #unasked: NodeJS.Timeout | undefined;

  /** Reads what is remembered of it, and begins to serve it. @param onOver nothing of it is left to do here */
  static async open(machine: Machine, place: AgentPlace, onOver: (instance: Instance) => void): Promise<Instance> {
    const memory = parseMemory(await machine.memory.read().catch(() => undefined));
    return new Instance(machine, place, memory, onOver);
  }

  private constructor(
    machine: Machine,
    place: AgentPlace,
    memory: InstanceMemory | undefined,
    onOver: (instance: Instance) => void,
  ) {
    const { order } = machine;
    // It was started by an agent that had no time to write that down: what is remembered is of the time before.
    const adopted = machine.adopted && memory?.startId === machine.startId;
    this.machine = machine;
    this.place = place;
    this.log = (line) => place.log(`${order.name} (${order.id}): ${line}`);
    this.#onOver = () => onOver(this);
    this.life = new InstanceLife(order, memory, adopted, place.clock);
    this.#parkedMs = adopted ? (memory?.parkedMs ?? 0) : 0;
    this.#rememberAtMs = place.clock.bootMs() + REMEMBER_EVERY_MS * (0.5 + Math.random() / 2);
    this.folder = new InstanceFolder(this);
    this.sessions = new InstanceSessions(this, adopted ? memory?.session : undefined);
    this.#forker.promise.catch(() => {});
    machine.onGone((why) => this.#gone(why));
    machine.onInside((request) => answerInside(this, request));
    void this.#begin();
  }

  get forker(): Promise<InstanceForker> {
    return this.#forker.promise;
  }

  /** Once it is there. */
  get knownForker(): InstanceForker | undefined {
    return this.#known;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  get isActing(): boolean {
    return this.#acting;
  }

  /** To be called once a second, and when something changed. */
  tick(nowMs: number): void {
    if (this.#isOver || this.#isGone) return;
    if (nowMs >= this.#readAtMs && !this.#isReading && this.life.state === 'running') void this.#read();
    if (nowMs >= this.#lookAtMs) this.look();
    if (nowMs >= this.#rememberAtMs) this.remember();
    this.folder.tick(nowMs);
  }

  /** Decides what comes next, and begins it. */
  look(): void {
    if (this.#isOver || this.#isGone) return;
    const decision = this.life.decide(this.#acting);
    this.#lookAtMs = this.place.clock.bootMs() + Math.min(decision.nextInMs, REMEMBER_EVERY_MS);
    for (const { kind, text } of decision.warnings) {
      this.log(`warning: ${text}`);
      if (kind === 'interrupt') void this.#act({ ...decision, act: 'nothing', reason: 'interrupted' });
    }
    if (decision.warnings.length > 0) this.changed();
    if (decision.act !== 'nothing') void this.#act(decision);
    this.setDeadline();
  }

  /** Its report is another one: the coordinator is told at once, and it is remembered. */
  changed(): void {
    this.sessions.tell();
    this.folder.statusChanged();
    this.remember();
  }

  takeDirective(directive: Directive): void {
    const said = this.life.take(directive);
    if (said === 'nothing') return;
    this.folder.directiveTaken();
    // The next exchange acknowledges it: nobody waits for that.
    if (said === 'peers') return;
    this.look();
    this.changed();
    clearTimeout(this.#unasked);
    this.#unasked = setTimeout(() => this.#known?.killUnasked(UNASKED_GRACE_MS), UNASKED_AFTER_MS).unref();
  }

  unwanted(): void {
    if (this.#isGone || this.#isOver || this.life.isEnding) return;
    void this.#act({ ...this.life.decide(true), act: 'terminate', reason: 'cancelled' });
  }

  report(): InstanceReport {
    return this.life.report();
  }

  attemptEnded(outcome: Outcome): void {
    const isOwn = !['cancelled', 'preempted', 'lost'].includes(outcome.kind);
    this.life.ended = isOwn ? (outcome.kind === 'exited' && outcome.code === 0 ? 'success' : 'failed') : undefined;
    if (isOwn) this.remember();
    // Whoever told us is in the middle of it.
    queueMicrotask(() => this.look());
  }

  /** The last resort of the machine follows the deadline, with a margin. @param moreMs while it acts: so long it may take */
  setDeadline(moreMs = 0): void {
    const untilBrokeMs = brokeInMs(this.life, moreMs > 0);
    const { time, order } = this.life;
    const counts = time.runs || order.ttlMode === 'wall';
    // While it acts, each step says what it needs; of what has ended nothing can last too long.
    if (moreMs === 0 && (this.#acting || this.life.isEnding)) return;
    const left = time.ttlLeftMs === undefined || !counts ? undefined : Math.max(0, time.ttlLeftMs);
    const inMs = moreMs > 0 ? Math.max(moreMs, left ?? 0) : left;
    const untilMs = Math.min(inMs === undefined ? Number.POSITIVE_INFINITY : inMs + DEADLINE_MARGIN_MS, untilBrokeMs);
    const given = Number.isFinite(untilMs) ? untilMs : undefined;
    const atMs = given === undefined ? undefined : time.atMs + given;
    const isNear = atMs !== undefined && this.#deadlineMs !== undefined && Math.abs(atMs - this.#deadlineMs) < 250;
    if (atMs === this.#deadlineMs || isNear || this.#isGone) return;
    this.#deadlineMs = atMs;
    const graceMs = given === undefined ? undefined : lastGraceMs(this.life, given);
    this.machine.setDeadline(given, graceMs).catch((error: Error) => {
      this.#deadlineMs = Number.NaN;
      this.log(`no deadline of its own: ${error.message}`);
    });
  }

  /** Writes what has to outlive this agent; one write at a time, the last text counts. */
  remember(): Promise<void> {
    this.#rememberAtMs = this.place.clock.bootMs() + REMEMBER_EVERY_MS;
    const before = this.#remembering;
    this.#remembering = before.then(async () => {
      // Its disk is gone, or about to be.
      if (this.#isOver || this.life.state === 'terminated') return;
      const parkedMs = this.#known?.parkedMs ?? this.#parkedMs;
      const text = JSON.stringify({
        ...this.life.remember(this.sessions.open, parkedMs),
        startId: this.machine.startId,
      } satisfies InstanceMemory);
      await this.machine.memory.write(text).catch((error: Error) => this.log(`not remembered: ${error.message}`));
    });
    return this.#remembering;
  }

  /** The agent goes, the instance runs on. @param remembers false: another one remembers more by now */
  async release(remembers = true): Promise<void> {
    if (remembers) await this.remember();
    this.#isOver = true;
    clearTimeout(this.#unasked);
    await this.sessions.release();
    this.machine.release();
  }

  /** Nothing of it runs: what is left is to say so. */
  async leave(): Promise<void> {
    await this.remember();
    await this.sessions.leave();
    this.#isOver = true;
    clearTimeout(this.#unasked);
    this.#onOver();
  }

  async #begin(): Promise<void> {
    try {
      if (this.life.state === 'hibernated') await this.machine.freeze();
      else if (this.life.state !== 'running') this.life.state = 'running';
      // What runs already may have to be ended before there is a session.
      if (this.machine.adopted) await this.#openForker();
      await this.folder.prepare();
      this.look();
      this.sessions.run();
      if (this.machine.adopted || !(await this.sessions.placesKnown) || this.#isGone) return;
      await this.#openForker();
    } catch (error) {
      this.log(`cannot be served: ${(error as Error).message}`);
      this.#forker.reject(error);
      this.#gone((error as Error).message);
    }
  }

  async #openForker(): Promise<void> {
    const channel = await this.machine.forker();
    const beforeRun = (request: RunRequest) => this.#beforeRun(request);
    this.#known = new InstanceForker({ channel, beforeRun, parkedMs: this.#parkedMs });
    if (this.life.state === 'hibernated') this.#known.park();
    // What it said before comes first.
    if (this.machine.adopted) await this.machine.activity().catch(() => {});
    this.#forker.resolve(this.#known);
  }

  /** A task begins: its files must be there, and what was said of the one before is over. */
  async #beforeRun(request: RunRequest): Promise<readonly string[]> {
    this.life.attemptStarted();
    this.remember();
    return this.folder.beforeRun(request);
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    try {
      this.life.measured(await this.machine.activity());
    } catch (error) {
      if (!this.#isGone && !this.#isOver) this.log(`its activity cannot be read: ${(error as Error).message}`);
    }
    this.#isReading = false;
    this.#readAtMs = this.place.clock.bootMs() + this.life.readingPauseMs;
    if (!this.#acting && this.life.state === 'running') this.look();
  }

  async #act(decision: Decision): Promise<void> {
    if (this.#acting) return;
    this.#acting = true;
    try {
      await carryOut(this, decision);
    } catch (error) {
      this.log(`${decision.act} failed: ${(error as Error).message}`);
      this.life.message = `${decision.act} failed: ${(error as Error).message}`;
      this.changed();
    }
    this.#acting = false;
    this.#lookAtMs = this.place.clock.bootMs() + 1_000;
    this.setDeadline();
  }

  #gone(why: string): void {
    if (this.#isGone || this.#isOver) return;
    this.#isGone = true;
    this.life.setRuns(false);
    const hasEnded = this.life.state === 'shutting-down' || this.life.state === 'stopping';
    const isLate = (this.life.time.ttlLeftMs ?? 1) <= 0;
    // The last resort of the machine knows two reasons.
    const isBroke = why === 'deadline' && this.life.costShare !== undefined;
    if (!hasEnded || this.life.reason === undefined)
      this.life.reason = isLate ? 'ttl' : isBroke ? 'cost-limit' : 'lost';
    this.life.state = 'terminated';
    this.life.message = why;
    this.log(`is gone: ${why}`);
    this.#forker.reject(new Error(why));
    // Its disk holds nothing that anybody will start again.
    this.machine.terminate(0).catch(() => {});
    this.changed();
    void this.leave();
  }
}
