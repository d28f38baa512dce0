import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FIRST_JOB } from './normalise.ts';
import { startSlurm, stopSlurm } from './rig/slurm-rig.ts';
import { ROOT, runLines, type Side, type User } from './side.ts';

/** A user without rights whose name is as long as that of root. Debian always has it. */
const NEWS: User = { name: 'news', uid: 9, gid: 9 };

export interface RealOptions {
  /** Whether sacct answers, which costs a database. */
  readonly accounting?: boolean;
}

/** Whether scenarios of a topic ask for history. */
export function needsAccounting(topic: string): boolean {
  return topic === 'sacct' || topic === 'clients';
}

/** What a machine lacks for a real Slurm of its own; undefined when it lacks nothing. */
export function lackOfSlurm(): string | undefined {
  if (process.getuid?.() !== 0) return 'root';
  const needed = [
    'sbin/slurmctld',
    'sbin/slurmd',
    'sbin/slurmdbd',
    'sbin/munged',
    'sbin/mariadbd',
    'bin/jq',
    'bin/Rscript',
  ];
  return needed.find((name) => !existsSync(join('/usr', name)));
}

/** Starts a real Slurm with three nodes of 8 CPUs below `dir`. */
export async function startReal(dir: string, options: RealOptions = {}): Promise<Side> {
  const rigDir = join(dir, 'rig');
  const rig = await startSlurm(rigDir, {
    nodes: 3,
    maxArraySize: 100_001,
    // Each task of an array counts, until MinJobAge after its end.
    maxJobCount: 2_000_000,
    accounting: options.accounting === true ? 'slurmdbd' : 'none',
    users: [ROOT.name, NEWS.name],
    memoryMbPerCpu: 0,
    // Memory is nothing that a job takes unless it asks for some, as with spawn.
    extra: [`FirstJobId=${FIRST_JOB}`, 'SelectTypeParameters=CR_CPU'],
  });
  const env = { PATH: rig.env.PATH, SLURM_CONF: rig.env.SLURM_CONF };
  return {
    name: 'real',
    env,
    run: (scenario) => runLines(scenario, join(dir, 'real'), env, scenario.root ? ROOT : NEWS),
    close: () => stopSlurm(rigDir),
  };
}
