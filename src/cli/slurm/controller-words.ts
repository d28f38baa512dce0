import { refusalOf, type SlurmCommand } from '../../config/slurm/refusal.ts';
import { visible } from '../../core/error-text.ts';
import { type ErrorCode, isSpawnError } from '../../core/errors.ts';

/** What was asked for when it was refused: Slurm has other words for the same. */
export type Asked = 'submit' | 'list' | 'cancel' | 'update' | 'hold';

const UNKNOWN_ID = 'Invalid job id specified';
const BAD_ARRAY = 'Invalid job array specification';
const BAD_DEPENDENCY = 'Job dependency problem';
const NO_CONTROLLER = 'Unable to contact slurm controller (connect failure)';

const WORDS: Readonly<Partial<Record<ErrorCode, string>>> = {
  BAD_INDEX_SET: BAD_ARRAY,
  ARRAY_TOO_LARGE: BAD_ARRAY,
  BAD_DEPENDENCY,
  DEPENDENCY_UNKNOWN_JOB: BAD_DEPENDENCY,
  DEPENDENCY_SELF: BAD_DEPENDENCY,
  DEPENDENCY_CYCLE: 'Circular job dependency',
  BAD_JOB_REF: UNKNOWN_ID,
  JOB_NOT_FOUND: UNKNOWN_ID,
  TASK_NOT_FOUND: UNKNOWN_ID,
  JOB_ENDED: 'Job has already finished',
  NOT_PERMITTED: 'Access/permission denied',
  REQUEUE_DISABLED: 'Requested operation is presently disabled',
  UNSATISFIABLE_RESOURCES: 'Requested node configuration is not available',
  BODY_TOO_LARGE: 'Pathname of a file, directory or other parameter too long',
  SCRIPT_TOO_LARGE: 'Pathname of a file, directory or other parameter too long',
  // Clients take this for a reason to try again.
  RATE_LIMITED: 'Socket timed out on send/recv operation',
  SERVER_STOPPING: NO_CONTROLLER,
  SERVER_UNREACHABLE: NO_CONTROLLER,
};

const OTHERWISE: Readonly<Partial<Record<Asked, Readonly<Partial<Record<ErrorCode, string>>>>>> = {
  cancel: { JOB_ENDED: 'Job/step already completing or completed' },
  hold: { NOT_PERMITTED: 'Invalid user id' },
  update: { NOT_PERMITTED: 'Invalid user id' },
};

/** Slurm's words for what the coordinator refused; our own first line where it has none. Undefined for an error that is none of ours. */
export function controllerWords(error: unknown, asked: Asked): string | undefined {
  if (!isSpawnError(error)) return undefined;
  const own = visible(error.message.split('\n', 1)[0]!);
  return OTHERWISE[asked]?.[error.code] ?? WORDS[error.code] ?? own;
}

/**
 * What stderr gets of an error that ends a command; undefined for a refusal with words of its own and for an error that is none of ours. Where Slurm's
 * words say less than ours, ours follow in a second line.
 */
export function controllerText(command: SlurmCommand, error: unknown): string | undefined {
  if (!isSpawnError(error) || refusalOf(error) !== undefined) return undefined;
  const asked = command === 'sbatch' || command === 'srun' ? 'submit' : command === 'scancel' ? 'cancel' : 'list';
  const words = controllerWords(error, asked)!;
  const own = visible(error.message.split('\n', 1)[0]!);
  const more = words === own || words === UNKNOWN_ID ? '' : `${command}: ${own}\n`;
  switch (command) {
    case 'sbatch':
      return `sbatch: error: Batch job submission failed: ${words}\n${more}`;
    case 'srun':
      return `srun: error: Unable to allocate resources: ${words}\n${more}`;
    case 'squeue':
    case 'scontrol':
      return `slurm_load_jobs error: ${words}\n${more}`;
    case 'sinfo':
      return `slurm_load_partitions: ${words}\n${more}`;
    case 'scancel':
    case 'sacct':
    case 'sacctmgr':
    case 'sshare':
    case 'sstat':
      return `${command}: error: ${words}\n${more}`;
  }
}
