import { MAX_ARRAY_SIZE } from '../api/limits.ts';
import { isSpawnError, SpawnError } from '../core/errors.ts';
import { forgetPredecessor } from '../core/forget-predecessor.ts';
import type { Job } from '../core/job.ts';
import { TaskState } from '../core/task-state.ts';
import type { Batch } from '../store/store.ts';
import { raiseAlerts } from './alerts/raise.ts';
import { grantBound } from './bound.ts';
import { checkpointsOver } from './data/checkpoints-over.ts';
import { GroupCommit } from './group-commit.ts';
import { reconcileInstances } from './instances/hooks.ts';
import { forgetJob, Link } from './link.ts';
import type { JobEntry, Memory } from './memory.ts';
import { prepareMessages } from './messages.ts';
import type { CoordinatorPorts } from './ports.ts';
import { linkJob, restoreJob, restoreMemory, resume } from './restore.ts';
import { predecessorsOf, unlink } from './unlink.ts';
import { Watchers } from './watchers.ts';
import { World } from './world.ts';

const REBUILD_RETRY_MS = 500;

/** Memory, the store behind it and the group commit between them: what every use case works on. */
export class Ledger {
  readonly ports: CoordinatorPorts;
  readonly links = new Map<number, Link>();
  readonly watchers = new Watchers();
  readonly counters: Record<string, number> = {};
  /** Ended jobs that are being removed for ever: nobody brings them back meanwhile. */
  readonly pruning = new Set<number>();
  readonly #commit: GroupCommit;
  #world!: World;
  /** False while the store is full: writing use cases are refused at once, until a probe succeeds. */
  writable = true;
  /** Told the time of every new alarm. */
  alarmSet: (due: number) => void = () => {};
  /** Told after each commit: what the instances need of the world outside is done now. */
  committed: () => void = () => {};
  /** Told that the store became full. */
  becameFull: () => void = () => {};

  constructor(ports: CoordinatorPorts) {
    this.ports = ports;
    this.#commit = new GroupCommit({
      clock: ports.clock,
      seal: () => this.#seal(),
      commit: (batch) => ports.store.commit(batch),
      rebuild: (error) => this.#rebuild(error),
    });
  }

  get world(): World {
    return this.#world;
  }

  get memory(): Memory {
    return this.#world.memory;
  }

  get leaseMs(): number {
    return this.ports.options.leaseMs ?? 30_000;
  }

  /** Reads everything that is live. Every session gets a full term. */
  async load(): Promise<void> {
    const { store, clock, random, instances, randomHex, options } = this.ports;
    const setup = { ports: instances, storeId: store.storeId, epoch: store.epoch, randomHex };
    const memory = await restoreMemory(store, await store.load(), clock, setup);
    this.#world?.memory.instances.close();
    memory.instances.poke = () => this.poke();
    const alarmSet = (due: number) => this.alarmSet(due);
    const maxTasks = options.maxArraySize ?? MAX_ARRAY_SIZE;
    this.#world = new World(memory, clock, this.counters, alarmSet, random, randomHex, maxTasks);
    // What completed a moment before the end of the life before.
    checkpointsOver(memory, this.ports.checkpoints, memory.jobs.keys())();
    for (const { session } of memory.sessions.values()) {
      session.leaseUntil = clock.lease() + this.leaseMs;
      const link = this.links.get(session.id) ?? new Link(session.id, store.epoch, true);
      link.resync = true;
      // It may have come back while the store was read.
      session.connected = link.attached;
      this.links.set(session.id, link);
    }
    for (const [id, link] of this.links) if (!memory.sessions.has(id)) this.forgetLink(id, link);
    resume(this.#world, this.writable);
    this.poke();
  }

  /** The store takes commits again. */
  reopen(): void {
    this.writable = true;
    resume(this.#world, true);
    this.poke();
  }

  /** A change of memory; its result is durable when the promise resolves. */
  async write<T>(work: (world: World) => T): Promise<T> {
    if (!this.writable) throw new SpawnError('STORE_FULL');
    return await this.#commit.write(() => work(this.#world));
  }

  /** A look at memory; nothing newer than what is durable is shown. */
  read<T>(work: (memory: Memory) => T): Promise<T> {
    return this.#commit.read(() => work(this.#world.memory));
  }

  poke(): void {
    this.#commit.poke();
  }

  idle(): Promise<void> {
    return this.#commit.idle();
  }

  /**
   * The job, brought back from the store if it has ended and left; with `followers`, also those that were skipped because of it, and
   * what all of these wait for.
   */
  async bring(id: number, followers: boolean): Promise<void> {
    const seen = new Set<number>();
    const wanted = [id];
    for (let next = wanted.pop(); next !== undefined; next = wanted.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      if (!followers && this.#keep(next)) return;
      const dependents = await this.#bringOne(next, next !== id);
      if (followers) wanted.push(...dependents);
    }
    if (!followers) return;
    const waitedFor = new Set([...seen].flatMap((one) => predecessorsOf(this.memory, one)));
    for (const predecessor of waitedFor) {
      if (this.#keep(predecessor) || (await this.#isHere(predecessor))) continue;
      for (const one of seen) forgetPredecessor(this.memory.jobs.get(one)?.job, predecessor);
    }
  }

  /**
   * A change that needs jobs which may have left memory: `prepare` brings them, and does so again should memory be rebuilt before
   * the change is made.
   */
  async writeAfter<T>(prepare: () => Promise<void>, work: (world: World) => T): Promise<T> {
    for (;;) {
      const { memory } = this;
      await prepare();
      const done = await this.write((world) => (world.memory === memory ? { result: work(world) } : undefined));
      if (done !== undefined) return done.result;
    }
  }

  entry(id: number): JobEntry {
    const entry = this.memory.jobs.get(id);
    if (entry === undefined) throw new SpawnError('JOB_NOT_FOUND', { ref: String(id) });
    return entry;
  }

  forgetLink(sessionId: number, link: Link): void {
    link.close();
    this.links.delete(sessionId);
  }

  /** Drops ended jobs that nobody waits for and that came at least `ageMs` ago. */
  evict(ageMs: number): void {
    const { memory } = this;
    const before = this.ports.clock.steady() - ageMs;
    for (const [job, since] of memory.ended) {
      if (since > before || job.awaited || job.grants.size > 0 || memory.changes.jobs.has(job)) continue;
      if (memory.instances.isLive(job.id)) continue;
      this.drop(job);
    }
  }

  /** Takes an ended job for which nobody waits out of memory. */
  drop(job: Job): void {
    unlink(job);
    this.memory.drop(job);
    forgetJob(this.links.values(), job.id);
  }

  /** Whether the job is here; if it has ended it stays for a while, since somebody needs it in a moment. */
  #keep(id: number): boolean {
    const { memory } = this;
    const known = memory.jobs.get(id);
    if (known === undefined) return false;
    if (memory.ended.has(known.job)) memory.ended.set(known.job, this.ports.clock.steady());
    return true;
  }

  /** Brings a job that may have been removed from history; false when it was. */
  async #isHere(id: number): Promise<boolean> {
    try {
      await this.#bringOne(id, false);
      return true;
    } catch (error) {
      if (isSpawnError(error) && (error as SpawnError).code === 'JOB_NOT_FOUND') return false;
      throw error;
    }
  }

  /** Gives its dependents. Of those that are wanted because tasks may be skipped there, one without any stays where it is. */
  async #bringOne(id: number, ifSkipped: boolean): Promise<readonly number[]> {
    const { store, clock } = this.ports;
    const loaded = await store.loadJob(id);
    if (loaded === undefined || this.pruning.has(id)) {
      // Submitted a moment ago and not durable yet: it is here, and nothing can have been skipped because of it that is not.
      if (this.memory.jobs.has(id)) return [];
      throw new SpawnError('JOB_NOT_FOUND', { ref: String(id) });
    }
    const { memory } = this;
    if (!this.#keep(id)) {
      if (ifSkipped && loaded.job.counts[TaskState.skipped] === 0) return [];
      const entry = restoreJob(loaded);
      memory.addEnded(entry, clock.steady());
      linkJob(memory, entry.job);
    }
    for (const dependent of loaded.dependents) {
      const follower = memory.jobs.get(dependent);
      if (follower !== undefined) linkJob(memory, follower.job);
    }
    return loaded.dependents;
  }

  #seal(): { batch: Batch | undefined; durable: () => void } {
    const world = this.#world;
    const { memory } = world;
    const { changes } = memory;
    world.settlement.run();
    // What a full store would refuse is not begun.
    if (this.writable) {
      reconcileInstances(world);
      world.settlement.run();
      grantBound(world);
      if (!world.schedule()) this.poke();
    }
    raiseAlerts(world, this.ports.alerts);
    const dropCheckpoints = checkpointsOver(memory, this.ports.checkpoints, changes.ends.keys());
    const deltas = this.watchers.capture([...changes.jobs, ...memory.progressed]);
    memory.progressed.clear();
    const send = prepareMessages(memory, changes.outgoing);
    changes.outgoing.clear();
    const batch = changes.empty ? undefined : changes.take(memory.counters);
    return {
      batch,
      durable: () => {
        send(this.links, this.ports.clock.steady());
        deltas();
        dropCheckpoints();
        this.committed();
        if (batch !== undefined && batch.events.length > 0) this.watchers.eventsWritten();
      },
    };
  }

  async #rebuild(error: SpawnError): Promise<void> {
    const { code } = error;
    if (code === 'STORE_LOCKED') throw this.#giveUp(error);
    if (code === 'STORE_FULL' && this.writable) {
      this.writable = false;
      this.becameFull();
    }
    for (const link of this.links.values()) link.close();
    for (;;) {
      try {
        await this.load();
        return;
      } catch (cause) {
        if (!isSpawnError(cause) || (cause as SpawnError).code !== 'STORE_FULL') throw this.#giveUp(cause);
        await new Promise<void>((resolve) => this.ports.clock.timer(REBUILD_RETRY_MS, resolve));
      }
    }
  }

  #giveUp(cause: unknown): SpawnError {
    const error = isSpawnError(cause) ? (cause as SpawnError) : new SpawnError('STORE_FAILED', { why: String(cause) });
    this.ports.onFatal(error);
    return error;
  }
}
