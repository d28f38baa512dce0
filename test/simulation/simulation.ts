import { JobSpec, type JobSpecInput } from '../../src/api/job-spec.ts';
import { Coordinator } from '../../src/coordinator/coordinator.ts';
import { Ledger } from '../../src/coordinator/ledger.ts';
import type { LogReader } from '../../src/objects/log-reader.ts';
import { type CommitFate, MemoryDisk, openMemoryStore } from '../support/memory-store.ts';
import { Chance } from './chance.ts';
import { checkHistory } from './check-history.ts';
import { checkMemory } from './check-memory.ts';
import { checkDeadlines, grantProblem } from './check-times.ts';
import { idsOf } from './data-ids.ts';
import type { FakeMachine } from './fake-machine.ts';
import { FakeMachines } from './fake-machines.ts';
import { FakeWorker } from './fake-worker.ts';
import { CALLER, type Faults, type Life, Network, NO_FAULTS } from './network.ts';
import { settle, VirtualClock } from './virtual-clock.ts';
import type { Place, TaskScript, WorkerWatch } from './worker-watch.ts';

export interface SimulationOptions {
  seed: number;
  workers: number;
  faults: Faults;
  /** How long faults go on, virtual ms. */
  stormMs: number;
  /** Called at every commit; by default chance decides by the faults. */
  fate?: (commit: number) => CommitFate;
}

const NO_LOGS: LogReader = {
  read: () => {
    throw new Error('none');
  },
  jobs: () => Promise.resolve([]),
  size: () => Promise.resolve(0),
  remove: () => Promise.resolve(),
} as unknown as LogReader;

interface Execution {
  place: Place;
  task: string;
}

/** The real coordinator and core on virtual time, with fake workers, a store in memory and seeded faults. */
export class Simulation {
  readonly clock = new VirtualClock();
  readonly chance: Chance;
  readonly disk = new MemoryDisk();
  readonly network: Network;
  readonly workers: FakeWorker[] = [];
  readonly machines: FakeMachines;
  readonly scripts = new Map<number, (position: number) => TaskScript>();
  readonly acknowledged = new Map<number, JobSpec>();
  /** Tasks for which a worker was granted an attempt, to be checked against what was durable. */
  readonly problems: string[] = [];
  /** Jobs that somebody wanted to be removed for ever, whether that was done or not. */
  readonly doomed = new Set<number>();
  /** Jobs of which somebody wanted some tasks to wait for something else. */
  readonly rewaiting = new Set<number>();
  commits = 0;
  crashes = 0;
  #ledger: Ledger | undefined;
  /** What tasks do of which nothing else is said. */
  usual: (jobId: number) => TaskScript = () => ({ durationMs: 10, outcome: 0, killsWorker: false });
  readonly #executions = new Map<string, Execution[]>();
  readonly #options: SimulationOptions;
  readonly #watch: WorkerWatch;
  #storm = true;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.chance = new Chance(options.seed);
    this.network = new Network(this.clock, this.chance);
    this.network.faults = options.faults;
    this.#watch = {
      script: (jobId, position) => this.scripts.get(jobId)?.(position) ?? this.usual(jobId),
      began: (place, held) => this.#began(place, held.fence, `${held.jobId}_${held.position}`),
      over: (place, fence) => this.#over(place, fence),
      granted: (jobId, position) => this.#granted(jobId, position),
    };
    this.machines = new FakeMachines(this.clock, this.chance, this.network, this.#watch);
  }

  get ledger(): Ledger | undefined {
    return this.#ledger;
  }

  async begin(): Promise<void> {
    await this.#boot();
    for (let i = 0; i < this.#options.workers; i++) {
      const worker = new FakeWorker(`w${i}`, 1 + (i % 3), this.clock, this.chance, this.network, this.#watch);
      this.workers.push(worker);
      worker.start();
    }
    this.#storms();
  }

  /** Submits until it is acknowledged, always with the same key, as the client does. */
  async submit(key: string, input: Partial<JobSpecInput>, script: (position: number) => TaskScript): Promise<number> {
    const spec = JobSpec.parse({ run: { kind: 'argv', argv: ['true'] }, cwd: '/', ...input });
    const { job } = await this.insist((coordinator) => coordinator.submit(CALLER, { spec, idempotencyKey: key }));
    const known = this.acknowledged.get(job.id);
    if (known !== undefined && known !== spec) this.problems.push(`job ${job.id} was acknowledged twice`);
    this.acknowledged.set(job.id, spec);
    for (const id of idsOf(job, spec)) this.acknowledged.set(id, this.disk.content.jobs.get(id)?.spec ?? spec);
    this.scripts.set(job.id, script);
    return job.id;
  }

  /** A call that is made again until the coordinator answers; its own errors come through. */
  async insist<T>(what: (coordinator: Coordinator) => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await this.network.call(what);
      } catch (error) {
        const { code } = error as { code?: string };
        if (code !== 'SERVER_UNREACHABLE' && code !== 'STORE_FULL') throw error;
        await new Promise<void>((resolve) => this.clock.timer(100, resolve));
      }
    }
  }

  /** Runs until `done`, checking every invariant after every step. */
  async run(done: () => boolean, limitMs: number): Promise<void> {
    const until = this.clock.elapsed + limitMs;
    for (let step = 0; !done(); step++) {
      if (this.clock.elapsed > until) throw new Error(`stuck after ${limitMs} virtual ms\n${this.describe()}`);
      if (!this.clock.step()) throw new Error(`nothing is left to happen\n${this.describe()}`);
      await settle();
      if (step % 7 === 0 && this.#ledger !== undefined) {
        checkMemory(this.#ledger.memory);
        checkDeadlines(this.#ledger.memory, this.#now());
      }
      if (this.problems.length > 0) throw new Error(this.problems.join('\n'));
    }
  }

  /** All faults end; everybody thaws. */
  calm(): void {
    this.#storm = false;
    this.network.faults = NO_FAULTS;
    for (const worker of this.workers) worker.thaw();
  }

  /** Every acknowledged job has ended. */
  finished(): boolean {
    const memory = this.#ledger?.memory;
    if (memory === undefined || this.network.life?.alive !== true) return false;
    for (const id of this.acknowledged.keys()) {
      const job = memory.jobs.get(id)?.job;
      if (job !== undefined && !job.finished) return false;
    }
    return true;
  }

  checkHistory(): Promise<void> {
    return checkHistory(this.disk, this.acknowledged, this.doomed);
  }

  describe(): string {
    const jobs = [...(this.#ledger?.memory.jobs.values() ?? [])].map(
      ({ job }) =>
        `job ${job.id} ${job.state} counts ${[...job.table.counts]} held ${job.held} terms ${job.conditions.map(({ termStates }) => termStates)}`,
    );
    const sessions = [...(this.#ledger?.memory.sessions.values() ?? [])].map(
      ({ session }) =>
        `session ${session.id} ${session.worker} connected ${session.connected} held ${session.heldCount} free ${session.freeCpus}`,
    );
    return [`seed ${this.#options.seed}, virtual time ${this.clock.elapsed}`, ...jobs, ...sessions].join('\n');
  }

  #now(): number {
    return this.clock.forProcess(() => true).now();
  }

  async #boot(): Promise<void> {
    const pending = new Set<(error: Error) => void>();
    const life: Life = { coordinator: undefined as never, alive: true, pending };
    const store = openMemoryStore(this.disk, { beforeCommit: () => this.#fate(life) });
    const ledger = new Ledger({
      store,
      clock: this.clock.forProcess(() => life.alive),
      blobs: {
        put: () => Promise.reject(new Error('none')),
        get: () => Promise.resolve(undefined),
        has: () => Promise.resolve(true),
        list: () => Promise.resolve([]),
        remove: () => Promise.resolve(false),
      },
      logs: NO_LOGS,
      copies: undefined as never,
      randomHex: (digits) => Array.from({ length: digits }, () => this.chance.below(16).toString(16)).join(''),
      random: () => this.chance.next(),
      instances: { provider: this.machines },
      onFatal: (error) => this.problems.push(`fatal: ${error.message}`),
      options: { version: 'simulated', host: 'simulated', dataDir: '/', logDir: '/' },
    });
    await ledger.load();
    life.coordinator = new Coordinator(ledger);
    life.coordinator.start((error) => {
      if ((error as { code?: string }).code !== 'STORE_FULL')
        this.problems.push(`loop: ${String((error as Error).stack)}`);
    });
    this.#ledger = ledger;
    this.network.life = life;
  }

  #fate(life: Life): CommitFate {
    this.commits++;
    const { faults } = this.network;
    const fate = this.#options.fate?.(this.commits) ?? this.#chanceOfCommit(faults);
    if (fate === 'crashBefore' || fate === 'crashAfter') this.#crash(life);
    return fate;
  }

  #chanceOfCommit(faults: Faults): CommitFate {
    if (this.chance.yes(faults.refuse)) return 'fail';
    if (!this.chance.yes(faults.crash)) return 'ok';
    return this.chance.yes(0.5) ? 'crashBefore' : 'crashAfter';
  }

  #crash(life: Life): void {
    this.crashes++;
    // Not at once: the store must first do what the fate says.
    this.clock.timer(0, () => {
      life.alive = false;
      this.#ledger = undefined;
      for (const dead of [...life.pending]) dead(new Error('the coordinator died'));
      life.pending.clear();
      this.clock.timer(this.chance.between(1, 400), () => void this.#boot());
    });
  }

  #storms(): void {
    this.clock.timer(1_000, () => {
      if (!this.#storm) return;
      const { faults } = this.network;
      for (const worker of this.workers) this.#disturb(worker, faults);
      for (const machine of [...this.machines.machines.values()]) this.#disturbMachine(machine, faults);
      if (this.chance.yes(faults.suspend)) this.clock.suspended += this.chance.between(1_000, 120_000);
      this.#storms();
    });
    if (this.clock.elapsed === 0) this.clock.timer(this.#options.stormMs, () => this.calm());
  }

  #disturb(worker: FakeWorker, faults: Faults): void {
    if (worker.dead) return;
    if (this.chance.yes(faults.cut)) worker.cut();
    if (this.chance.yes(faults.isolate)) worker.isolate(this.chance.between(5_000, 50_000));
    if (!worker.frozen && this.chance.yes(faults.freeze)) {
      worker.freeze();
      this.clock.timer(this.chance.between(100, 60_000), () => worker.thaw());
    }
    if (!worker.frozen && this.chance.yes(faults.kill)) {
      const { sessionId } = worker;
      worker.kill();
      // The provider notices at once, or not at all, so that the lease has to end.
      if (this.chance.yes(0.5)) {
        void this.network.call((coordinator) => coordinator.loseSession(sessionId, 'simulated')).catch(() => {});
      }
      this.clock.timer(this.chance.between(200, 5_000), () => worker.start());
    }
  }

  #disturbMachine(machine: FakeMachine, faults: Faults): void {
    if (this.chance.yes(faults.cut)) machine.agent?.cut();
    if (this.chance.yes(faults.kill * 3)) this.machines.crashAgent(machine);
    if (this.chance.yes(faults.kill)) this.machines.crash(machine);
  }

  /** P5: of workers that are not frozen, at most one runs a task. */
  #began(place: Place, fence: number, task: string): void {
    const others = [...this.#executions.values()].flat().filter((other) => other.task === task && !other.place.frozen);
    if (others.length > 0) this.problems.push(`task ${task} runs on ${others[0]!.place.name} and ${place.name}`);
    const key = `${place.name}/${fence}`;
    this.#executions.set(key, [...(this.#executions.get(key) ?? []), { place, task }]);
  }

  #over(place: Place, fence: number): void {
    this.#executions.delete(`${place.name}/${fence}`);
  }

  /** P7: what a grant rests on is durable. */
  #granted(jobId: number, position: number): void {
    const row = this.disk.content.jobs.get(jobId);
    if (row === undefined) {
      this.problems.push(`a task of job ${jobId} was granted before the job was durable`);
      return;
    }
    const problem = grantProblem(this.disk, jobId, position, this.#now());
    if (problem !== undefined) this.problems.push(problem);
    const after = row.spec.after?.match(/^afterok:(\d+)$/);
    if (after === null || after === undefined || this.rewaiting.has(jobId)) return;
    const predecessor = this.disk.content.jobs.get(Number(after[1]));
    if (
      predecessor !== undefined &&
      !this.disk.content.events.some(({ jobId: id, kind }) => id === predecessor.id && kind === 'jobEnded')
    ) {
      this.problems.push(`${jobId}[${position}] was granted before ${predecessor.id} had durably ended`);
    }
  }
}
