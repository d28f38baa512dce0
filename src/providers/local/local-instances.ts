import { readdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { SpawnError } from '../../core/errors.ts';
import { zonesOf } from '../../core/zones.ts';
import type { InstanceProvider, MachineFact } from '../provider.ts';
import { addressOf } from './addresses.ts';
import { machineMemory } from './machine-size.ts';
import { describeSandbox, haltSandbox, requestStart, type SandboxProcesses } from './sandbox-directory.ts';

export interface LocalInstancesOptions {
  /** One directory an instance. */
  readonly directory: string;
  /** Where agents that ended have left what is still to be told: a file for each instance, by its id. */
  readonly untold: string;
  readonly processes: SandboxProcesses;
  /** Makes sure that the agent runs; it finds by itself what there is to start. */
  readonly ensureAgent: () => void;
  /** Where the addresses of this store begin. */
  readonly salt: number;
}

/** Instance ids, which become names of directories. */
const ID = /^i-[0-9a-f]{17}$/;

/** Sandboxes on this machine. What is to run is written down as orders; the agent starts them and answers for them. */
export function createLocalInstances(options: LocalInstancesOptions): InstanceProvider {
  const { directory, untold, processes, ensureAgent, salt } = options;
  const pathOf = (id: string): string => {
    if (!ID.test(id)) throw new SpawnError('INTERNAL', { why: `no instance id: ${id}` });
    return join(directory, id);
  };

  return {
    name: 'local',

    async launch(order) {
      try {
        requestStart(pathOf(order.id), order);
      } catch (error) {
        throw new SpawnError('LAUNCH_FAILED', { name: order.name, why: (error as Error).message }, { cause: error });
      }
      ensureAgent();
    },

    async describe(ids) {
      const there = new Set(namesIn(directory));
      const isUntold = new Set(untoldIn(untold));
      return ids.map((id): MachineFact => {
        // Its agent knows how it ended, and what its task came to: that is waited for.
        if (isUntold.has(id)) return { id, state: 'up' };
        return { id, state: there.has(id) ? describeSandbox(pathOf(id), processes) : 'gone' };
      });
    },

    async halt(id, how) {
      await haltSandbox(pathOf(id), how, processes);
      rmSync(join(untold, `${id}${UNTOLD}`), { force: true });
    },
    list: async () => namesIn(directory),
    addressOf: (region, zone, slot) => addressOf(region, zone, slot, salt),
    zonesOf,
    capacity: () => ({ vcpus: availableParallelism(), memoryBytes: machineMemory() }),
  };
}

const UNTOLD = '.json';

/** Instances of which something is still to be told. */
export function untoldIn(directory: string): string[] {
  try {
    return readdirSync(directory).flatMap((name) => (name.endsWith(UNTOLD) ? [name.slice(0, -UNTOLD.length)] : []));
  } catch {
    return [];
  }
}

/** Of those that are there. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => ID.test(name));
  } catch {
    return [];
  }
}
