import { isUtf8 } from 'node:buffer';
import type { SpecReply } from '../api/insight.ts';
import type { JobSpec } from '../api/job-spec.ts';
import { formatDependency, parseDependency } from '../core/dependency.ts';
import type { Job } from '../core/job.ts';
import type { Lane } from '../core/lane.ts';
import { TaskState } from '../core/task-state.ts';
import { plannerOf, readsParts } from './data/planned.ts';
import { outputOf, slurmOf } from './job-row.ts';
import type { Ledger } from './ledger.ts';
import type { JobEntry } from './memory.ts';
import { lookAt } from './reading.ts';
import { resolveRef } from './refs.ts';

/** A job as it could be submitted again, with what was updated since; tasks that ask for something else than most do not show. */
export async function exportSpec(ledger: Ledger, ref: string): Promise<SpecReply> {
  const { store, blobs, clock } = ledger.ports;
  const { id } = await resolveRef(ledger.memory, store, ref, 'look');
  const spec = await lookAt(ledger, id, (entry) => specOfNow(entry, clock.now()));
  const script = spec.run.kind === 'script' ? await blobs.get(spec.run.hash) : undefined;
  return { id, spec, ...(script === undefined ? {} : { script: textOf(script.bytes) }) };
}

function specOfNow({ job, fixed }: JobEntry, now: number): JobSpec {
  // As times from the submit they have become times of the clock; those that have passed say nothing to a new job.
  const {
    beginAt,
    beginInMs,
    deadlineAt,
    deadlineInMs,
    after,
    maxFailures,
    signal,
    slurm: _,
    role: _role,
    workflow: _workflow,
    ...submitted
  } = fixed.spec;
  const { terms, priority } = usualLane(job);
  const waitsFor = withoutPlan(fixed, job.conditions[0].text);
  const slurm = slurmOf(fixed.spec, job.slurm);
  const files = outputOf(fixed.spec, job.outputPath);
  return {
    ...submitted,
    name: fixed.name,
    ...(fixed.indices === '' || readsParts(fixed.spec) ? {} : { array: fixed.indices }),
    ...terms,
    resources: { ...terms.resources },
    ...warningOf(signal, terms.timeLimitMs),
    throttle: job.throttle,
    priority,
    hold: job.held,
    ...(files.output === undefined ? {} : { outputPath: files.output }),
    ...(files.error === undefined ? {} : { errorPath: files.error }),
    ...(slurm === undefined ? {} : { slurm }),
    ...(waitsFor === '' ? {} : { after: waitsFor }),
    ...(Number.isFinite(job.maxFailures) ? { maxFailures: job.maxFailures } : {}),
    ...(job.beginAt > now ? { beginAt: job.beginAt } : {}),
    ...(job.deadlineAt > now ? { deadlineAt: job.deadlineAt } : {}),
  };
}

/** The job that planned it is none of those that it was submitted to wait for. */
function withoutPlan(fixed: JobEntry['fixed'], after: string): string {
  const planner = plannerOf(fixed);
  if (planner === undefined || after === '') return after;
  const { mode, terms } = parseDependency(after);
  const kept = terms.filter((term) => term.type === 'singleton' || term.jobId !== planner);
  return formatDependency({ mode, terms: kept });
}

/** Before a time limit that became shorter than its notice it comes at once; without a limit there is none. */
function warningOf(signal: JobSpec['signal'], timeLimitMs: number): Pick<JobSpec, 'signal'> {
  if (signal === undefined || timeLimitMs === 0) return {};
  return { signal: { ...signal, beforeMs: Math.min(signal.beforeMs, timeLimitMs) } };
}

/** The lane of most tasks that have not ended; of most tasks when all have. */
function usualLane(job: Job): Lane {
  const { table, lanes } = job;
  if (lanes.length === 1) return lanes[0];
  const all = table.ended === table.size;
  const counts = new Array<number>(lanes.length).fill(0);
  for (let position = 0; position < table.size; position++) {
    if (all || table.state[position]! < TaskState.completed) counts[job.laneOf(position).number]!++;
  }
  return lanes[counts.indexOf(Math.max(...counts))]!;
}

function textOf(bytes: Uint8Array): NonNullable<SpecReply['script']> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isUtf8(bytes)
    ? { encoding: 'utf8', content: buffer.toString('utf8') }
    : { encoding: 'base64', content: buffer.toString('base64') };
}
