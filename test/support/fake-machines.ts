import type { MachineOrder } from '../../src/api/instance-session.ts';
import type { HaltHow, InstanceProvider, MachineFact } from '../../src/providers/provider.ts';

/** Starts nothing: it notes what it is asked, and a test says what becomes of each machine. */
export class FakeMachines implements InstanceProvider {
  readonly name = 'local';
  readonly launched: MachineOrder[] = [];
  readonly halted: [id: string, how: HaltHow][] = [];
  readonly facts = new Map<string, MachineFact['state']>();

  async launch(order: MachineOrder): Promise<void> {
    this.launched.push(order);
    this.facts.set(order.id, 'up');
  }

  async describe(ids: readonly string[]): Promise<MachineFact[]> {
    return ids.map((id) => ({ id, state: this.facts.get(id) ?? 'gone' }));
  }

  async halt(id: string, how: HaltHow): Promise<void> {
    this.halted.push([id, how]);
    if (how === 'terminate') this.facts.delete(id);
    else this.facts.set(id, 'down');
  }

  async list(): Promise<string[]> {
    return [...this.facts.keys()];
  }

  addressOf(_region: string, _zone: string, slot: number): string | undefined {
    return slot < 62_500 ? `127.7.${Math.floor(slot / 250)}.${(slot % 250) + 1}` : undefined;
  }

  zonesOf(region: string): string[] {
    return ['a', 'b'].map((letter) => `${region}-${letter}`);
  }

  capacity(): { vcpus: number; memoryBytes: number } {
    return { vcpus: 4_096, memoryBytes: 2 ** 44 };
  }
}
