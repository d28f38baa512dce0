import type { JobView } from '../../api/job.ts';
import { MAX_GRAPH_JOBS } from '../../api/limits.ts';
import type { GraphEdge, GraphReply } from '../../api/workflow.ts';
import { parseDependency } from '../../core/dependency.ts';
import { SpawnError } from '../../core/errors.ts';
import { readAfter } from '../job-row.ts';
import type { Ledger } from '../ledger.ts';
import { resolveRef } from '../refs.ts';
import { predecessorIds } from '../restore.ts';
import { viewJob, viewStored } from '../views.ts';
import { jobsOf } from './jobs-of.ts';

/** What these jobs wait for, also where that is none of them. */
export function edgesTo(jobs: readonly JobView[]): GraphEdge[] {
  return jobs.flatMap(({ id, after }) => {
    if (after === undefined) return [];
    const { mode, terms } = parseDependency(after);
    const any = mode === 'any' && terms.length > 1 ? { any: true } : {};
    return terms.flatMap((term): GraphEdge[] => {
      if (term.type === 'singleton') return [];
      const { type, jobId, indices } = term;
      return [{ from: jobId, to: id, type, ...(indices === null ? {} : { indices: String(indices) }), ...any }];
    });
  });
}

/** Jobs as they are now, in memory or in the store; those that are in neither are left out. */
export async function viewJobs(ledger: Ledger, ids: readonly number[]): Promise<JobView[]> {
  const stored = await ledger.ports.store.findJobs({ live: false, ids, limit: ids.length });
  const rows = new Map(stored.map((row) => [row.id, row]));
  return await ledger.read((memory) =>
    ids.flatMap((id) => {
      const entry = memory.jobs.get(id);
      if (entry !== undefined) return [viewJob(memory, entry)];
      const row = rows.get(id);
      return row === undefined ? [] : [viewStored(row)];
    }),
  );
}

/** The job with all that it is tied to, directly or through others: by dependencies, or by the workflow they came with. */
export async function readGraph(ledger: Ledger, ref: string): Promise<GraphReply> {
  const { id } = await resolveRef(ledger.memory, ledger.ports.store, ref, 'look');
  const found = new Set([id]);
  const workflows = new Set<number>();
  for (let edge: readonly number[] = [id]; edge.length > 0 && found.size <= MAX_GRAPH_JOBS; ) {
    const next: number[] = [];
    for (let at = 0; at < edge.length; at += AT_ONCE) {
      const some = edge.slice(at, at + AT_ONCE);
      for (const near of await Promise.all(some.map((one) => neighboursOf(ledger, one, workflows)))) {
        for (const neighbour of near) {
          if (found.size > MAX_GRAPH_JOBS || found.has(neighbour)) continue;
          found.add(neighbour);
          next.push(neighbour);
        }
      }
    }
    edge = next;
  }
  const ids = [...found].toSorted((a, b) => a - b);
  const jobs = await viewJobs(ledger, ids.slice(0, MAX_GRAPH_JOBS));
  if (!jobs.some((job) => job.id === id)) throw new SpawnError('JOB_NOT_FOUND', { ref });
  const there = new Set(jobs.map((job) => job.id));
  return { jobs, edges: edgesTo(jobs).filter(({ from }) => there.has(from)), cut: ids.length > MAX_GRAPH_JOBS };
}

/** Jobs that are looked up at once. */
const AT_ONCE = 64;

/** What it waits for, what waits for it, and what came with it. @param workflows those whose jobs were told before */
async function neighboursOf({ memory, ports }: Ledger, id: number, workflows: Set<number>): Promise<number[]> {
  const loaded = await ports.store.loadJob(id);
  const entry = memory.jobs.get(id);
  const spec = (entry?.fixed ?? loaded?.job)?.spec;
  const after = entry === undefined && loaded !== undefined ? readAfter(loaded.job, loaded.job) : '';
  const before = after === '' ? [] : parseDependency(after).terms;
  const workflow = spec?.workflow;
  const together = workflow === undefined || workflows.has(workflow.first) ? [] : jobsOf(workflow);
  if (workflow !== undefined) workflows.add(workflow.first);
  return [
    ...(entry === undefined ? [] : predecessorIds(entry.job)),
    ...before.flatMap((term) => (term.type === 'singleton' ? [] : [term.jobId])),
    ...(loaded?.dependents ?? []),
    ...(entry?.job.waiters.map(({ job }) => job.id) ?? []),
    ...together,
  ];
}
