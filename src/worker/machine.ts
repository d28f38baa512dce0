import { availableParallelism, hostname, totalmem } from 'node:os';
import { cgroupCpus } from './cgroup-cpus.ts';
import type { Machine } from './flags.ts';

/** What this process may use of the machine: CPUs by affinity and quota, memory by the limit of its control group. */
export function thisMachine(): Machine {
  const limit = process.constrainedMemory();
  return {
    hostname: hostname(),
    env: process.env,
    cpus: Math.min(availableParallelism(), cgroupCpus()),
    // Without a limit of the control group the system gives 0 or a number larger than any memory.
    memoryBytes: limit > 0 ? Math.min(limit, totalmem()) : totalmem(),
  };
}
