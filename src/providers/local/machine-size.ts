import { availableParallelism, totalmem } from 'node:os';

/** Left to the system and to everything else of the user. */
const MEMORY_SHARE = 0.9;

export interface MachineSize {
  readonly cpus: number;
  readonly memoryBytes: number;
}

/**
 * What the local agent may give to tasks: every processor that this process may use (affinity and a cgroup's quota
 * counted, at least 1) and 90 % of the memory (of a cgroup's limit where that is lower).
 */
export function machineSize(): MachineSize {
  return {
    cpus: availableParallelism(),
    memoryBytes: usableMemory(totalmem(), process.constrainedMemory()),
  };
}

/** @param limit of the cgroup; 0 or more than there is when there is none */
export function usableMemory(total: number, limit: number): number {
  return Math.floor((limit > 0 ? Math.min(total, limit) : total) * MEMORY_SHARE);
}
