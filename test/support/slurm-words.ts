import { refusalOf, refusalText, type SlurmCommand } from '../../src/config/slurm/refusal.ts';

/** What a command of Slurm's prints when `run` is refused, with its exit code: as the probes of the real ones are written down. */
export function slurmWords(run: () => unknown, command: SlurmCommand = 'sbatch', testOnly = false): string {
  try {
    run();
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return `${refusalText(command, refusal, testOnly)}rc=${refusal.exit}`;
  }
  return 'accepted';
}
