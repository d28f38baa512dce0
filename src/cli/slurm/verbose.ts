import type { GivenOption } from '../../config/slurm/sbatch-words.ts';
import { visible } from '../../core/error-text.ts';
import type { Sink } from '../world.ts';

const RULE = 'sbatch: -------------------- --------------------\n';

/** What `-v` says: the options that count, by name. */
export function showOptions(options: readonly GivenOption[], stderr: Sink): void {
  const last = new Map(options.map(({ name, value }) => [name as string, value ?? 'set']));
  const level = options.filter(({ name }) => name === 'verbose').length;
  if (level > 0) last.set('verbose', String(level));
  const rows = [...last].sort(([one], [other]) => (one < other ? -1 : 1));
  const lines = rows.map(([name, value]) => `sbatch: ${name.padEnd(20)}: ${visible(value)}\n`).join('');
  stderr.write(`sbatch: defined options\n${RULE}${lines}${RULE}sbatch: end of defined options\n`);
}
