import { SpawnError } from '../core/errors.ts';
import { FIRST_RAW_ID, parseJobRef } from '../core/ids.ts';
import { IndexSet, parseIndexSet } from '../core/index-set.ts';
import type { Job } from '../core/job.ts';
import { TASK_STATES } from '../core/task-state.ts';
import type { Store, StoredJobFixed } from '../store/store.ts';
import type { Runs } from './cancel.ts';
import type { Owner } from './instances/book.ts';
import type { Memory } from './memory.ts';

export interface ResolvedRef {
  id: number;
  /** null: the whole job. */
  indices: IndexSet | null;
}

/** What a job is named for. */
export type Purpose = 'look' | 'change' | 'runAgain';

/**
 * Finds the job that a text names: a number, the raw number of a task, an array id, or a name. A name must fit exactly one live job. Where no live job has it,
 * the newest ended one is taken to look at, and to run again if no other has the name: that is done to jobs that have ended.
 */
export async function resolveRef(memory: Memory, store: Store, text: string, purpose: Purpose): Promise<ResolvedRef> {
  const ref = parseJobRef(text);
  if (ref.kind === 'job')
    return ref.id < FIRST_RAW_ID ? { id: ref.id, indices: null } : await findRaw(memory, store, ref.id);
  if (ref.kind === 'tasks') return { id: ref.id, indices: ref.indices };
  const live = [...(memory.names.get(ref.name) ?? [])];
  if (live.length > 1) {
    const candidates = live.map((job) => candidate(job, memory.jobs.get(job.id)!.fixed.arrayId));
    throw new SpawnError('AMBIGUOUS_NAME', { name: ref.name, candidates });
  }
  const member = findMember(memory, ref.name);
  if (live.length === 1) {
    const [job] = live;
    if (member === undefined || member.id === job!.id) return { id: job!.id, indices: null };
    const candidates = [candidate(job!, memory.jobs.get(job!.id)!.fixed.arrayId), `instance of job ${member.id}`];
    throw new SpawnError('AMBIGUOUS_NAME', { name: ref.name, candidates });
  }
  if (member !== undefined) return member;
  for (const { job, fixed } of memory.jobs.values()) {
    if (fixed.arrayId === ref.name) return { id: job.id, indices: null };
  }
  const [byArrayId] = await store.findJobs({ live: false, arrayId: ref.name, limit: 1 });
  if (byArrayId !== undefined) return { id: byArrayId.id, indices: null };
  const id = await findEnded(memory, store, ref.name, purpose);
  if (id === undefined) throw new SpawnError('JOB_NOT_FOUND', { ref: text });
  if (purpose !== 'change') return { id, indices: null };
  throw new SpawnError('JOB_NOT_FOUND', { ref: text, why: `no live job has that name; job ${id} has ended` });
}

/**
 * The task that has a raw number, in memory or in the store; the job, where it is no array.
 *
 * @throws JOB_NOT_FOUND
 */
export async function findRaw(memory: Memory, store: Store, rawId: number): Promise<ResolvedRef> {
  const has = ({ rawIdBase, size }: StoredJobFixed) => rawIdBase <= rawId && rawId < rawIdBase + size;
  const live = [...memory.jobs.values()].find(({ fixed }) => has(fixed))?.fixed;
  const found = live ?? (await store.findJobs({ live: false, rawId, limit: 1 }))[0];
  if (found === undefined || !has(found)) throw new SpawnError('JOB_NOT_FOUND', { ref: String(rawId) });
  const { id, indices, rawIdBase } = found;
  return { id, indices: indices === '' ? null : IndexSet.fromString(indices).select([[rawId - rawIdBase, 1]]) };
}

/**
 * The same, told apart from what others call so: a name that a live job or an instance of the asker has means that one. Anything else is
 * left as it is.
 */
export function ownRef(memory: Memory, asker: Owner, text: string): string {
  if (!isName(text)) return text;
  const isOwn = ({ owner, tenant }: Owner) => owner === asker.owner && tenant === asker.tenant;
  const live = [...(memory.names.get(text) ?? [])];
  const own = live.filter(({ id }) => isOwn(memory.jobs.get(id)!.fixed));
  const member = memory.instances.resolve(text, asker);
  if (own.length === 1 && (member === undefined || member.jobId === own[0]!.id)) return String(own[0]!.id);
  if (own.length > 0 || member === undefined) return text;
  return `${member.jobId}_${memory.instances.arrays.get(member.jobId)!.plan.member(member.position).index}`;
}

/** What is no reference at all is refused where it is looked for. */
function isName(text: string): boolean {
  try {
    return parseJobRef(text).kind === 'name';
  } catch {
    return false;
  }
}

/** The task that an instance runs which has the name or id. */
function findMember({ instances, jobs }: Memory, text: string): ResolvedRef | undefined {
  const found = instances.resolve(text);
  if (found === undefined) return undefined;
  const { jobId, position } = found;
  const { indices } = jobs.get(jobId)?.fixed ?? instances.arrays.get(jobId)!.fixed;
  const all = indices === '' ? IndexSet.ofSize(1) : IndexSet.fromString(indices);
  return { id: jobId, indices: all.select([[position, 1]]) };
}

async function findEnded(memory: Memory, store: Store, name: string, purpose: Purpose): Promise<number | undefined> {
  const stored = await store.findJobs({ live: false, name, limit: 2 });
  // The newest may have ended a moment ago, and the store does not know yet.
  const ended = [...memory.ended.keys()].filter((job) => job.facts.name === name).map(({ id }) => id);
  const ids = [...new Set([...stored.map(({ id }) => id), ...ended])].toSorted((a, b) => b - a);
  if (purpose === 'runAgain' && ids.length > 1) {
    const candidates = ids.map((id) => `${id} (ended)`);
    throw new SpawnError('AMBIGUOUS_NAME', { name, candidates });
  }
  return ids[0];
}

/** All that a person needs to tell jobs of one name apart: `3 (fit-20261121-ab12cd, submitted …, held, 10 ready)`. */
function candidate(job: Job, arrayId: string): string {
  const counts = TASK_STATES.flatMap((state, at) =>
    job.table.counts[at]! > 0 ? [`${job.table.counts[at]} ${state}`] : [],
  );
  const submitted = new Date(job.facts.createdAt).toISOString();
  return `${job.id} (${[arrayId, `submitted ${submitted}`, job.state, ...counts].join(', ')})`;
}

/** The positions that a reference and an `--index` set name together; one that is not in the array is an error. */
export function selectRuns(job: Job, ref: ResolvedRef, index: string | undefined): Runs {
  const { indices } = job.facts;
  const named = index === undefined ? null : parseIndexSet(index, { dialect: 'wire' }).set;
  if (ref.indices === null && named === null) return [[0, job.size]];
  const both = ref.indices !== null && named !== null ? ref.indices.intersect(named) : (ref.indices ?? named!);
  const runs = [...indices.positionsOf(both)];
  const found = runs.reduce((sum, [, count]) => sum + count, 0);
  if (found < both.size || found === 0) {
    throw new SpawnError('TASK_NOT_FOUND', {
      ref: `${job.id}_${both.size === 1 ? both.min : `[${both}]`}`,
      array: String(indices),
    });
  }
  return runs;
}
