import { totalmem } from 'node:os';

/** Left to the system and to everything else of the user. */
const MEMORY_SHARE = 0.9;

/** What local workers may give to tasks: 90 % of the memory, of a control group's limit where that is lower. */
export function machineMemory(): number {
  return usableMemory(totalmem(), process.constrainedMemory());
}

/** @param limit of the cgroup; 0 or more than there is when there is none */
export function usableMemory(total: number, limit: number): number {
  return Math.floor((limit > 0 ? Math.min(total, limit) : total) * MEMORY_SHARE);
}
