import type { Directive, InstanceReport, MachineOrder } from '../../src/api/instance-session.ts';
import { JobSpec, type JobSpecInput } from '../../src/api/job-spec.ts';
import type { InstancePorts, PublishedNames } from '../../src/coordinator/instances/ports.ts';
import type { Caller } from '../../src/coordinator/use-cases.ts';
import { SpawnError } from '../../src/core/errors.ts';
import type { HaltHow, InstanceProvider, MachineFact } from '../../src/providers/provider.ts';
import { type AtHandOptions, CALLER, LedgerAtHand, WorkerAtHand } from './ledger-at-hand.ts';

/** Machines that are nothing but their names, and do what a test says. */
class FakeProvider implements InstanceProvider {
  readonly name = 'local';
  readonly machines = new Map<string, { order: MachineOrder; state: MachineFact['state'] }>();
  /** Every launch and halt, in order. */
  readonly calls: string[] = [];
  launches = 0;
  describes = 0;
  /** Names whose launch fails, with the words. */
  readonly failing = new Map<string, string>();
  /** Awaited by every launch. */
  gate: Promise<void> = Promise.resolve();

  async launch(order: MachineOrder): Promise<void> {
    this.launches++;
    await this.gate;
    const why = this.failing.get(order.name);
    if (why !== undefined) throw new SpawnError('LAUNCH_FAILED', { name: order.name, why });
    this.calls.push(`launch ${order.name}`);
    this.machines.set(order.id, { order, state: 'up' });
  }

  async describe(ids: readonly string[]): Promise<readonly MachineFact[]> {
    this.describes++;
    return ids.map((id) => ({ id, state: this.machines.get(id)?.state ?? 'gone' }));
  }

  async halt(id: string, how: HaltHow): Promise<void> {
    const machine = this.machines.get(id);
    this.calls.push(`${how} ${machine?.order.name ?? id}`);
    if (machine === undefined) return;
    if (how === 'stop') machine.state = 'down';
    else this.machines.delete(id);
  }

  list = async () => [...this.machines.keys()];
  addressOf = (_region: string, zone: string, slot: number) =>
    slot > 60_000 ? undefined : `127.${4 + 'abc'.indexOf(zone.at(-1)!)}.${slot >> 8}.${slot & 255}`;
  zonesOf = (region: string) => ['a', 'b', 'c'].map((letter) => `${region}-${letter}`);
  capacity = () => undefined;
}

/** The agent of one machine: reports what it is told to, and otherwise does as the directive says. */
export class FakeAgent {
  readonly order: MachineOrder;
  readonly worker: WorkerAtHand;
  readonly #at: InstancesAtHand;
  #since: number;
  #state: InstanceReport['state'] = 'running';

  private constructor(at: InstancesAtHand, order: MachineOrder, worker: WorkerAtHand) {
    this.#at = at;
    this.#since = at.at.clock.nowMs;
    this.order = order;
    this.worker = worker;
  }

  /** As an agent keeps it over all starts of the machine. */
  get ranMs(): number {
    const before = this.#at.ran.get(this.order.id) ?? 0;
    return before + (this.#state === 'running' ? this.#at.at.clock.nowMs - this.#since : 0);
  }

  static async up(at: InstancesAtHand, order: MachineOrder, report = true): Promise<FakeAgent> {
    const hello = { worker: order.name, instance: order.id, bound: {} };
    const agent = new FakeAgent(at, order, await WorkerAtHand.join(at.at, hello));
    at.agents.set(order.name, agent);
    if (report) await agent.report();
    return agent;
  }

  get directive(): Directive {
    return this.worker.told('instance').at(-1)!.directive;
  }

  /** Says how it is; acknowledges the last directive. */
  async report(more: Partial<InstanceReport> = {}): Promise<void> {
    const ran = this.ranMs;
    this.#at.ran.set(this.order.id, ran);
    this.#since = this.#at.at.clock.nowMs;
    this.#state = more.state ?? this.#state;
    const version = this.worker.told('instance').at(-1)?.directive.version ?? 0;
    await this.worker.say({ instance: { version, state: this.#state, ranMs: ran, ...more } });
  }

  /** Starts the task of its index. */
  async start(): Promise<void> {
    await this.worker.start(this.order.jobId, this.order.rank);
  }

  async end(outcome = 0): Promise<void> {
    await this.worker.end(this.order.jobId, [this.order.rank], outcome);
  }

  get holdsTask(): boolean {
    return this.worker.held.size > 0;
  }

  /** Ends by itself, with what it runs as cancelled or preempted. */
  async leave(at: InstancesAtHand, report: Partial<InstanceReport>, outcome?: number): Promise<void> {
    await this.worker.say({ draining: true });
    if (outcome !== undefined && this.holdsTask) await this.end(outcome);
    await this.report(report);
    if (report.state === 'terminated') at.provider.machines.delete(this.order.id);
    else at.provider.machines.get(this.order.id)!.state = 'down';
    await at.at.coordinator.bye(CALLER, this.worker.sessionId);
    at.agents.delete(this.order.name);
  }

  /** As its last directive says: ends, or rests. One whose machine is gone does nothing. */
  async obey(at: InstancesAtHand): Promise<void> {
    if (!at.provider.machines.has(this.order.id)) {
      at.agents.delete(this.order.name);
      return;
    }
    const { wanted, reason } = this.directive;
    const why = reason === undefined ? {} : { reason };
    if (wanted === 'terminated') await this.leave(at, { state: 'terminated', ...why }, CANCELLED);
    else if (wanted === 'stopped') await this.leave(at, { state: 'stopped', ...why }, PREEMPTED);
    else if (wanted === 'hibernated') await this.report({ state: 'hibernated' });
    else await this.report({ state: 'running' });
  }
}

export const CANCELLED = 4 * 256;
export const PREEMPTED = 5 * 256;

/** A coordinator with a fake provider, whose loops run on the clock of the test. */
export class InstancesAtHand {
  readonly provider = new FakeProvider();
  readonly names = new Map<string, PublishedNames>();
  readonly agents = new Map<string, FakeAgent>();
  readonly errors: unknown[] = [];
  /** How long each machine ran, by id: kept on its disk. */
  readonly ran = new Map<string, number>();
  at!: LedgerAtHand;

  static async open(options: AtHandOptions = {}, ports: Partial<InstancePorts> = {}): Promise<InstancesAtHand> {
    const opened = new InstancesAtHand();
    const names = {
      set: (id: string, each: PublishedNames) => void opened.names.set(id, each),
      remove: (id: string) => void opened.names.delete(id),
    };
    const instances = { provider: opened.provider, names, ...ports };
    opened.at = await LedgerAtHand.open({ instances, ...options });
    opened.start();
    return opened;
  }

  start(): void {
    this.at.coordinator.start((error) => this.errors.push(error));
  }

  /** Another coordinator takes over; agents come back to it when told so. */
  async restart(): Promise<void> {
    await this.at.coordinator.stop();
    await this.at.restart();
    this.start();
    await this.settle();
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 6; turn++) {
      await this.at.ledger.idle();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Time goes on, a second at a time, and what is due happens. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 1_000) {
      this.at.clock.pass(Math.min(1_000, left));
      await this.settle();
    }
  }

  async submit(more: Partial<JobSpecInput> = {}, instances: Record<string, unknown> = {}, caller: Caller = CALLER) {
    const spec = JobSpec.parse({
      run: { kind: 'argv', argv: ['true'] },
      cwd: '/',
      name: 'compute',
      array: '0-2',
      ...more,
      instances,
    });
    const { job } = await this.at.coordinator.submit(caller, { spec });
    await this.settle();
    return job.id;
  }

  /** An agent comes up on every machine that has none. */
  async up(): Promise<void> {
    const known = new Set([...this.agents.values()].map(({ order }) => order.id));
    for (const { order, state } of [...this.provider.machines.values()]) {
      if (state === 'up' && !known.has(order.id)) await FakeAgent.up(this, order);
    }
    await this.settle();
  }

  agent(name: string): FakeAgent {
    return this.agents.get(name)!;
  }

  async obeyAll(): Promise<void> {
    for (const agent of [...this.agents.values()]) await agent.obey(this);
    await this.settle();
  }

  /** All instances that are listed. */
  async list(query: Record<string, unknown> = {}) {
    const { instances } = await this.at.coordinator.instances(CALLER, { limit: 10_000, ...query });
    return instances;
  }

  /** `compute-0 running` of each. */
  async states(query: Record<string, unknown> = {}): Promise<string[]> {
    return (await this.list(query)).map(({ name, state, reason }) =>
      [name, state, ...(reason === undefined ? [] : [reason])].join(' '),
    );
  }

  verb(
    verb: 'stop' | 'hibernate' | 'start' | 'terminate' | 'extend' | 'interrupt' | 'replace',
    target: Record<string, unknown>,
    more: Record<string, unknown> = {},
    caller = CALLER,
  ) {
    return this.at.coordinator.instanceVerb(caller, verb, { target, waitMs: 0, ...more });
  }

  events(kind: string): Record<string, unknown>[] {
    return this.at.disk.content.events
      .filter((event) => event.kind === kind)
      .map(({ detail }) => JSON.parse(detail) as Record<string, unknown>);
  }

  /** Machines that run, by the name of their instance. */
  get running(): string[] {
    return [...this.provider.machines.values()].filter(({ state }) => state === 'up').map(({ order }) => order.name);
  }
}
