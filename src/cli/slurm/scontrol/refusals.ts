import { refusalOf } from '../../../config/slurm/refusal.ts';
import { isSpawnError } from '../../../core/errors.ts';
import { IndexSet } from '../../../core/index-set.ts';
import type { Client } from '../../client.ts';
import { type Asked, controllerWords } from '../controller-words.ts';
import type { SlurmId } from '../job-ids.ts';
import { NOT_SUPPORTED } from '../update-words.ts';
import { isRaw, verdictLines } from './chosen-tasks.ts';
import type { Session } from './session.ts';

export const FINISHED = 'Job has already finished';
const UNREACHABLE = new Set(['SERVER_UNREACHABLE', 'SERVER_STOPPING', 'UNAUTHENTICATED', 'RATE_LIMITED']);
const UNKNOWN = new Set(['JOB_NOT_FOUND', 'TASK_NOT_FOUND', 'BAD_JOB_REF']);

/** How a command speaks of what it refuses. */
export interface Manner {
  readonly asked: Asked;
  /** Of a job, not of tasks, it says so twice. */
  readonly second: boolean;
  /** For an id that names nothing, where it is not Slurm's usual text. */
  readonly unknown?: string;
}

/** What is printed of a job, or of a task by its raw number, that refuses: `Job is pending execution for job 76`. */
export function refusalOfJob(session: Session, id: Pick<SlurmId, 'text'>, words: string, { second }: Manner): void {
  session.fail(`${words} for job ${id.text}`, ...(second ? [`slurm_suspend error: ${words}`] : []));
}

/**
 * Says what the coordinator refused to do with a job: with its tasks, where it is an array.
 *
 * @throws what is none of its answers
 */
export async function tellRefusal(
  session: Session,
  client: Client,
  id: SlurmId,
  error: unknown,
  manner: Manner,
): Promise<void> {
  if (!isSpawnError(error) || refusalOf(error) !== undefined || UNREACHABLE.has(error.code)) throw error;
  const isUnknownChange = error.code === 'BAD_REQUEST' && manner.asked === 'update';
  const words = isUnknownChange ? NOT_SUPPORTED : controllerWords(error, manner.asked)!;
  try {
    await tellWords(session, client, id, words, UNKNOWN.has(error.code), manner);
  } finally {
    if (isUnknownChange) session.note(error.message.split('\n', 1)[0]!);
  }
}

async function tellWords(
  session: Session,
  client: Client,
  id: SlurmId,
  words: string,
  isUnknown: boolean,
  manner: Manner,
): Promise<void> {
  if (isUnknown) {
    if (id.ref.kind === 'tasks') session.fail(`${id.text}: ${words}`);
    else refusalOfJob(session, id, manner.unknown ?? words, manner);
    return;
  }
  const { array } = isRaw(id) ? {} : await client.job(String(id.ref.id));
  if (array === undefined) return refusalOfJob(session, id, words, manner);
  const whole = IndexSet.fromString(array);
  const set = id.ref.kind === 'tasks' ? whole.intersect(id.ref.indices) : whole;
  session.fail(...verdictLines(id.ref.id, [{ set, words }]));
}
