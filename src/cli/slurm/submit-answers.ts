import { localTime } from './clock-text.ts';
import type { SlurmWords } from './words.ts';

/** How sbatch is to answer. */
export interface AnswerStyle {
  readonly parsable?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  /** Named when it was asked for. */
  readonly cluster?: string | undefined;
}

/** stdout of sbatch for a job that was taken. */
export function submittedText(job: number, { parsable, quiet, cluster }: AnswerStyle): string {
  if (quiet) return '';
  if (parsable) return `${job}${cluster === undefined ? '' : `;${cluster}`}\n`;
  return `Submitted batch job ${job}${cluster === undefined ? '' : ` on cluster ${cluster}`}\n`;
}

/** Where and when a job would start. */
export interface Estimate {
  readonly job: number;
  readonly at: number;
  readonly cpus: number;
  readonly nodes: string;
  readonly partition: string;
  /** Who says it; default sbatch. */
  readonly command?: 'sbatch' | 'srun';
}

/** stderr of `sbatch --test-only`. */
export function testOnlyText(estimate: Estimate, zone: (at: number) => number): string {
  const { job, cpus, nodes, partition, command = 'sbatch' } = estimate;
  const at = localTime(estimate.at, zone, 'N/A');
  return `${command}: Job ${job} to start at ${at} using ${cpus} processors on nodes ${nodes} in partition ${partition}\n`;
}

/** What `sbatch --wait` exits with: the highest code of its tasks, 1 for one that a signal ended, 0 for one that never started. */
export function waitedCode(ends: Iterable<Pick<SlurmWords, 'exitCode'>>): number {
  let highest = 0;
  for (const { exitCode } of ends) {
    const [code, signal] = exitCode.split(':').map(Number) as [number, number];
    highest = Math.max(highest, signal > 0 ? 1 : code);
  }
  return highest;
}
