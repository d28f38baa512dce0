import type { QueueJob } from '../../../api/queue.ts';
import { refuse } from '../../../config/slurm/refusal.ts';
import { momentOf } from '../../../config/slurm/times.ts';
import type { Client } from '../../client.ts';
import { localZone } from '../../local-zone.ts';
import type { SlurmId } from '../job-ids.ts';
import { type JobChanges, NOT_SUPPORTED, readJobUpdate } from '../update-words.ts';
import { type Chosen, choose, isRaw, refOf, unite, verdictLines } from './chosen-tasks.ts';
import { tellEnded } from './control.ts';
import { readJobList } from './job-list.ts';
import { FINISHED, type Manner, refusalOfJob, tellRefusal } from './refusals.ts';
import type { Session } from './session.ts';
import { needsPending, updateRequest } from './update-request.ts';

const UPDATES: Manner = { asked: 'update', second: false };
const NOT_PENDING = 'Job is no longer pending execution';
const NOT_RUNNING = 'Job is not running';
const MINUTE_MS = 60_000;

/** `update JobId=…`: changes each job, task or range of the list. */
export async function update(session: Session, words: readonly string[]): Promise<void> {
  const { list, changes } = readJobUpdate(words, { now: session.world.now(), zone: localZone });
  const client = await session.world.connect();
  const ids = await readJobList(session, client, list, UPDATES);
  if (ids.length === 0 && /^JobName=/.test(list)) {
    return session.fail(`scontrol: error: No jobs with name '${list.slice('JobName='.length)}'`);
  }
  for (const id of ids) {
    try {
      await updateOne(session, client, id, changes);
    } catch (error) {
      await tellRefusal(session, client, id, error, UPDATES);
    }
  }
}

async function updateOne(session: Session, client: Client, id: SlurmId, changes: JobChanges): Promise<void> {
  if (changes.refused !== undefined) return await refuseAll(session, client, id);
  const isPart = id.ref.kind === 'tasks' || isRaw(id);
  const chosen = needsPending(changes) ? await choose(client, id) : undefined;
  const running = chosen && unite([chosen.live.running, chosen.live.suspended]);
  const isAlone = chosen !== undefined && (chosen.job.array === undefined || isRaw(id));
  if (isAlone && running !== undefined) return refusalOfJob(session, id, NOT_PENDING, UPDATES);
  if (chosen !== undefined && running !== undefined && chosen.live.waiting === undefined) {
    return tellParts(session, chosen, id, running);
  }
  const timeLimitMs = await limitOf(session, client, id, changes);
  if (timeLimitMs === 'told') return;
  const { request, lost } = updateRequest(changes, { cpus: chosen?.job.cpus ?? 1, isPart, timeLimitMs });
  if (isPart && changes.throttle !== undefined) {
    await client.update(String(id.ref.id), { throttle: changes.throttle });
  }
  for (const name of lost) session.note(`${name} is accepted and has no effect here`);
  const ref = refOf(id);
  if (changes.priority === 0) await client.hold(ref);
  if (Object.keys(request).length > 0) {
    const reply = await client.update(ref, request);
    if (changes.priority !== undefined && changes.priority > 0) await client.release(ref);
    if (chosen === undefined) return await tellEnded(session, client, id, reply, UPDATES);
  }
  tellParts(session, chosen ?? (await choose(client, id)), id, chosen === undefined ? undefined : running);
}

/** @param running those of which nothing could be changed */
function tellParts(session: Session, chosen: Chosen, id: SlurmId, running: Chosen['ended']): void {
  const { job, live, ended } = chosen;
  const lives = unite(Object.values(live));
  if (job.array === undefined || isRaw(id)) {
    if (lives === undefined) refusalOfJob(session, id, FINISHED, UPDATES);
    return;
  }
  const others = running === undefined ? lives : live.waiting;
  const lines = verdictLines(job.id, [
    { set: ended, words: FINISHED },
    { set: running, words: NOT_PENDING },
    { set: others, words: undefined },
  ]);
  if (lines.length > 0) session.fail(...lines);
}

/** Of all that lives of it, in Slurm's words. */
async function refuseAll(session: Session, client: Client, id: SlurmId): Promise<void> {
  const { job, all } = await choose(client, id);
  if (job.array === undefined || isRaw(id)) return refusalOfJob(session, id, NOT_SUPPORTED, UPDATES);
  session.fail(...verdictLines(job.id, [{ set: all, words: NOT_SUPPORTED }]));
}

/** The time limit that it is to have, ms; undefined: the one it has. */
async function limitOf(
  session: Session,
  client: Client,
  id: SlurmId,
  { timeLimit, end }: JobChanges,
): Promise<number | undefined | 'told'> {
  if (timeLimit?.by === '=') return timeLimit.ms;
  if (timeLimit === undefined && end === undefined) return undefined;
  if (id.ref.kind === 'tasks' && id.ref.indices.size > 1) throw said(`Invalid job ID ${id.text}`);
  const parts = await partsOf(client, id);
  const [part] = parts;
  const task = part?.tasks[0];
  if (end !== undefined) {
    if (task?.startedAt === undefined) return told(session, id, NOT_RUNNING);
    const ms = momentOf(end, session.world.now()) - task.startedAt;
    return Math.max(1, Math.ceil(ms / MINUTE_MS)) * MINUTE_MS;
  }
  if (part === undefined) return told(session, id, FINISHED);
  const rows = parts.reduce((sum, { groups, tasks }) => sum + groups.length + tasks.length, 0);
  if (rows > 1) throw said('TimeLimit increment/decrement not supported for job arrays');
  const now = part.lanes[(task ?? part.groups[0]!).lane]!.timeLimitMs;
  // No limit stays none, however much is added.
  if (now === 0) return 0;
  if (timeLimit!.by === '+') return now + timeLimit!.ms;
  if (timeLimit!.ms >= now) {
    const [by, from] = [timeLimit!.ms, now].map((ms) => Math.ceil(ms / MINUTE_MS));
    throw said(`TimeLimit decrement larger than current time limit (${by} > ${from})`);
  }
  return now - timeLimit!.ms;
}

function told(session: Session, id: SlurmId, words: string): 'told' {
  refusalOfJob(session, id, words, UPDATES);
  return 'told';
}

/** What lives of it; more than a few rows need not be counted. */
async function partsOf(client: Client, id: SlurmId): Promise<readonly QueueJob[]> {
  const states = 'blocked,ready,leased,running';
  const { jobs, missing } = await client.queue({ ids: refOf(id), states, limit: 10 });
  // It tells what is not there.
  if (missing.length > 0) await client.job(refOf(id));
  return jobs;
}

function said(text: string) {
  return refuse([{ form: 'error', text }], 1);
}
