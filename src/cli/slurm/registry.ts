import type { DialectCommand } from './dialect.ts';

/** One of Slurm's commands in the list of all of them. */
export interface DialectEntry {
  readonly name: string;
  /** One line for `spawn --help`. */
  readonly summary: string;
  /** Loads this command's module and no other. */
  readonly load: () => Promise<DialectCommand>;
}

/** Slurm's commands, in the order in which help shows them. */
export const SLURM_COMMANDS: readonly DialectEntry[] = [
  {
    name: 'sbatch',
    summary: 'Submit a script with its #SBATCH lines',
    load: async () => (await import('./sbatch.ts')).sbatch,
  },
  {
    name: 'srun',
    summary: 'Run a program in a job, or as a step inside of one',
    load: async () => (await import('./srun.ts')).srun,
  },
  {
    name: 'squeue',
    summary: 'Show jobs that wait and run, as Slurm does',
    load: async () => (await import('./squeue.ts')).squeue,
  },
  {
    name: 'scancel',
    summary: 'Cancel jobs or send them a signal, as Slurm does',
    load: async () => (await import('./scancel.ts')).scancel,
  },
  {
    name: 'scontrol',
    summary: 'Show and change jobs, as Slurm does',
    load: async () => (await import('./scontrol.ts')).scontrol,
  },
  {
    name: 'sacct',
    summary: 'Show what became of jobs, from history',
    load: async () => (await import('./sacct.ts')).sacct,
  },
  {
    name: 'sinfo',
    summary: 'Show workers as nodes of a partition',
    load: async () => (await import('./sinfo.ts')).sinfo,
  },
  {
    name: 'sacctmgr',
    summary: 'List accounts, of which any is accepted',
    load: async () => (await import('./sacctmgr.ts')).sacctmgr,
  },
  {
    name: 'sshare',
    summary: 'List the accounts of a user',
    load: async () => (await import('./sshare.ts')).sshare,
  },
  {
    name: 'sstat',
    summary: 'List the steps that run of a job',
    load: async () => (await import('./sstat.ts')).sstat,
  },
];
