import type { MachineOrder } from '../../src/api/instance-session.ts';
import type { HaltHow, InstanceProvider, MachineFact } from '../../src/providers/provider.ts';
import type { Chance } from './chance.ts';
import { FakeAgent } from './fake-agent.ts';
import { FakeMachine } from './fake-machine.ts';
import type { Network } from './network.ts';
import type { VirtualClock } from './virtual-clock.ts';
import type { WorkerWatch } from './worker-watch.ts';

/** A provider whose machines outlive every coordinator, each with an agent that may die alone. */
export class FakeMachines implements InstanceProvider {
  readonly name = 'local';
  readonly machines = new Map<string, FakeMachine>();
  /** Agents that ever were. */
  readonly agents: FakeAgent[] = [];
  readonly #clock: VirtualClock;
  readonly #chance: Chance;
  readonly #network: Network;
  readonly #watch: WorkerWatch;

  constructor(clock: VirtualClock, chance: Chance, network: Network, watch: WorkerWatch) {
    this.#clock = clock;
    this.#chance = chance;
    this.#network = network;
    this.#watch = watch;
  }

  async launch(order: MachineOrder): Promise<void> {
    await this.#pause();
    const known = this.machines.get(order.id);
    if (known?.state === 'up') return;
    const machine = known ?? new FakeMachine(order, this.#watch);
    machine.state = 'up';
    this.machines.set(order.id, machine);
    this.#clock.timer(this.#chance.between(1, 300), () => this.#serve(machine));
  }

  async describe(ids: readonly string[]): Promise<MachineFact[]> {
    await this.#pause();
    return ids.map((id) => ({ id, state: this.machines.get(id)?.state ?? 'gone' }));
  }

  async halt(id: string, how: HaltHow): Promise<void> {
    await this.#pause();
    this.#end(id, how === 'stop' ? 'down' : 'gone');
  }

  async list(): Promise<string[]> {
    await this.#pause();
    return [...this.machines.keys()];
  }

  addressOf(_region: string, _zone: string, slot: number): string | undefined {
    return `127.8.${Math.floor(slot / 250)}.${(slot % 250) + 1}`;
  }

  zonesOf(region: string): string[] {
    return [`${region}-a`];
  }

  capacity(): undefined {
    return undefined;
  }

  /** The agent of one of them dies, and another one takes over what runs there. */
  crashAgent(machine: FakeMachine): void {
    machine.agent?.die();
    this.#clock.timer(this.#chance.between(50, 4_000), () => this.#serve(machine));
  }

  /** With all that runs there. */
  crash(machine: FakeMachine): void {
    this.#end(machine.order.id, 'gone');
  }

  #serve(machine: FakeMachine): void {
    if (machine.state !== 'up' || machine.agent?.alive === true) return;
    const agent = new FakeAgent(machine, this.#clock, this.#chance, this.#network, (state) =>
      this.#end(machine.order.id, state),
    );
    machine.agent = agent;
    this.agents.push(agent);
    agent.start();
  }

  #end(id: string, state: 'down' | 'gone'): void {
    const machine = this.machines.get(id);
    if (machine === undefined) return;
    machine.agent?.die();
    machine.halt();
    machine.state = state;
    if (state === 'gone') this.machines.delete(id);
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#clock.timer(this.#chance.between(1, 40), resolve));
  }
}
