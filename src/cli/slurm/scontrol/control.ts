import type { JobView, VerbReply } from '../../../api/job.ts';
import { SpawnError } from '../../../core/errors.ts';
import type { Client } from '../../client.ts';
import type { SlurmId } from '../job-ids.ts';
import { type Chosen, choose, isRaw, refOf, unite, type Verdict, verdictLines } from './chosen-tasks.ts';
import { readJobList } from './job-list.ts';
import { FINISHED, type Manner, refusalOfJob, tellRefusal } from './refusals.ts';
import type { Session } from './session.ts';

const PENDING = 'Job is pending execution';
const STEP_OVER = 'Job/step already completing or completed';
const NOT_SUSPENDED = 'Job is not suspended';

const HOLDS: Manner = { asked: 'hold', second: true };
const REQUEUES: Manner = { asked: 'cancel', second: false };
const SUSPENDS: Manner = { asked: 'cancel', second: false, unknown: 'Unexpected message received' };

/** `hold`, `release`, `requeue` and the like, on each job of the lists. @param verb its whole name */
export async function controlJobs(session: Session, verb: string, words: readonly string[]): Promise<void> {
  const client = await session.world.connect();
  if (verb === 'top') return (await import('./top.ts')).moveToTop(session, client, words[0]!);
  const { manner, lists, act } = readVerb(verb, words);
  for (const list of lists) {
    for (const id of await readJobList(session, client, list, manner)) {
      try {
        await act(session, client, id);
      } catch (error) {
        await tellRefusal(session, client, id, error, manner);
      }
    }
  }
}

interface ReadVerb {
  readonly manner: Manner;
  readonly lists: readonly string[];
  readonly act: (session: Session, client: Client, id: SlurmId) => Promise<void>;
}

function readVerb(verb: string, words: readonly string[]): ReadVerb {
  switch (verb) {
    case 'hold':
    case 'holdu':
    case 'uhold':
      return { manner: HOLDS, lists: words, act: (session, client, id) => hold(session, client, id, 'hold') };
    case 'release':
      return { manner: HOLDS, lists: words, act: (session, client, id) => hold(session, client, id, 'release') };
    case 'suspend':
    case 'resume':
      return { manner: SUSPENDS, lists: words, act: (session, client, id) => suspend(session, client, id, verb) };
  }
  const isOption = (word: string) => word !== '' && 'incomplete'.startsWith(word.toLowerCase());
  const isState = (word: string) => /^state=(?:specialexit|se)$/i.test(word);
  const [first = ''] = words;
  const which = { hold: verb === 'requeuehold' || isState(first), runningOnly: isOption(first) };
  const lists = isOption(first) || isState(first) ? words.slice(1) : words;
  return { manner: REQUEUES, lists, act: (session, client, id) => requeue(session, client, id, which) };
}

/** An array that has none of the tasks that were named. */
function refuseUnknown({ job, all }: Chosen): void {
  if (all.size === 0) throw new SpawnError('TASK_NOT_FOUND', { ref: String(job.id) });
}

async function hold(session: Session, client: Client, id: SlurmId, verb: 'hold' | 'release'): Promise<void> {
  // What is released may have ended before anybody looks.
  const before = verb === 'release' ? await choose(client, id) : undefined;
  const reply = await client[verb](refOf(id));
  await tellEnded(session, client, id, reply, HOLDS, before);
}

/**
 * Says which of the tasks that were named had ended, if any had: nothing was done with them.
 *
 * @param before what was found before anything was done; by default it is looked at now
 */
export async function tellEnded(
  session: Session,
  client: Client,
  id: SlurmId,
  { job, tasks }: VerbReply,
  manner: Manner,
  before?: Chosen,
): Promise<void> {
  const named = id.ref.kind === 'tasks' ? id.ref.indices.size : job.size;
  if (job.array === undefined || endedOf(job) === 0 || tasks === named) return;
  const chosen = before ?? (await choose(client, id));
  if (isRaw(id)) {
    const lives = unite(Object.values(chosen.live)) !== undefined;
    if (!lives) refusalOfJob(session, id, FINISHED, manner);
    return;
  }
  tell(session, chosen, [
    { set: chosen.ended, words: FINISHED },
    { set: unite(Object.values(chosen.live)), words: undefined },
  ]);
}

function tell(session: Session, { job }: Chosen, verdicts: readonly Verdict[]): void {
  const lines = verdictLines(job.id, verdicts);
  if (lines.length > 0) session.fail(...lines);
}

function endedOf({ counts }: JobView): number {
  return counts.completed + counts.failed + counts.cancelled + counts.skipped;
}

interface Requeue {
  readonly hold: boolean;
  readonly runningOnly: boolean;
}

async function requeue(session: Session, client: Client, id: SlurmId, which: Requeue): Promise<void> {
  const request = which.hold ? { hold: true } : {};
  if (which.runningOnly) {
    await client.requeue(refOf(id), { ...request, state: 'running' });
    return;
  }
  const chosen = await choose(client, id);
  const { waiting, running, suspended } = chosen.live;
  refuseUnknown(chosen);
  const others = unite([running, suspended, chosen.ended]);
  const isAlone = chosen.job.array === undefined || isRaw(id);
  if (isAlone && waiting !== undefined) return refusalOfJob(session, id, PENDING, REQUEUES);
  if (isAlone) await client.requeue(refOf(id), request);
  // Not those of the array that Slurm has forgotten.
  else if (others !== undefined) await client.requeue(`${chosen.job.id}_[${others}]`, request);
  if (!isAlone)
    tell(session, chosen, [
      { set: waiting, words: PENDING },
      { set: others, words: undefined },
    ]);
}

async function suspend(session: Session, client: Client, id: SlurmId, verb: 'suspend' | 'resume'): Promise<void> {
  const chosen = await choose(client, id);
  refuseUnknown(chosen);
  const { waiting, running, suspended } = chosen.live;
  if (running !== undefined || suspended !== undefined) await client[verb](refOf(id));
  const running_ = verb === 'suspend' ? undefined : NOT_SUSPENDED;
  const verdicts: Verdict[] = [
    { set: waiting, words: PENDING },
    { set: running, words: running_ },
    { set: suspended, words: undefined },
  ];
  if (chosen.job.array !== undefined && !isRaw(id)) {
    return tell(session, chosen, [...verdicts, { set: chosen.ended, words: STEP_OVER }]);
  }
  const what = verdicts.find(({ set }) => set !== undefined) ?? { words: STEP_OVER };
  if (what.words !== undefined) refusalOfJob(session, id, what.words, SUSPENDS);
}
