import type { JobForWorker } from '../api/session.ts';
import type { GrantRange } from '../core/grant-range.ts';
import { GrantStatus } from '../core/grant-range.ts';
import type { Job } from '../core/job.ts';
import type { Outgoing } from './changes.ts';
import type { Link } from './link.ts';
import type { JobEntry, Memory } from './memory.ts';
import { runLength } from './revoke.ts';

/** Prepares what a session is to be told; the calls that send it are made once it is durable. */
export function prepareMessages(memory: Memory, outgoing: Outgoing): (link: Link) => void {
  const grants = [...outgoing.grants].map(([jobId, ranges]) => prepareGrant(memory.jobs.get(jobId)!, ranges));
  return (link) => {
    for (const grant of grants) grant(link);
    if (outgoing.revoke.length > 0) link.send({ type: 'revoke', fences: outgoing.revoke });
    if (outgoing.cancel.length > 0) link.send({ type: 'cancel', fences: outgoing.cancel });
    if (outgoing.drop.length > 0) link.send({ type: 'drop', fences: outgoing.drop });
  };
}

function prepareGrant(entry: JobEntry, ranges: readonly GrantRange[]): (link: Link) => void {
  const { job } = entry;
  const runs = ranges.flatMap(openRuns);
  const attempt = attemptsOf(job, runs);
  return (link) => {
    if (runs.length === 0) return;
    if (!link.known.has(job.id)) {
      link.known.add(job.id);
      link.send({ type: 'job', job: describe(entry) });
    }
    const n = link.send({ type: 'grant', job: job.id, runs, attempt });
    for (const range of ranges) range.sentN = n;
  };
}

/** Only what is not over: a range sent again may be half done. */
function openRuns(range: GrantRange): [number, number, number][] {
  if (range.open === range.count) return [[range.fence, range.position, range.count]];
  const runs: [number, number, number][] = [];
  for (let at = 0; at < range.count; at += runLength(range.status, at)) {
    if (range.status[at] === GrantStatus.leased)
      runs.push([range.fence + at, range.position + at, runLength(range.status, at)]);
  }
  return runs;
}

/** One number where all are equal, which is nearly always. */
function attemptsOf(job: Job, runs: readonly [number, number, number][]): number | number[] {
  const first = runs.length === 0 ? 0 : job.table.attempts[runs[0]![1]]! + 1;
  for (const [, position, count] of runs) {
    for (let at = position; at < position + count; at++)
      if (job.table.attempts[at]! + 1 !== first) return allAttempts(job, runs);
  }
  return first;
}

function allAttempts(job: Job, runs: readonly [number, number, number][]): number[] {
  return runs.flatMap(([, position, count]) =>
    Array.from({ length: count }, (_, at) => job.table.attempts[position + at]! + 1),
  );
}

function describe({ job, fixed }: JobEntry): JobForWorker {
  const { spec } = fixed;
  return {
    id: job.id,
    arrayId: fixed.arrayId,
    name: fixed.name,
    owner: fixed.owner,
    isArray: fixed.indices !== '',
    indices: job.facts.indices.toString(),
    size: job.size,
    throttle: job.throttle,
    rawIdBase: fixed.rawIdBase,
    ...(spec.after === undefined ? {} : { after: spec.after }),
    run: spec.run,
    env: spec.env,
    ...(spec.envSnapshot === undefined ? {} : { envSnapshot: spec.envSnapshot }),
    cwd: spec.cwd,
    umask: spec.umask,
    cpus: spec.cpus,
    memoryBytes: spec.memoryBytes,
    timeLimitMs: spec.timeLimitMs,
    graceMs: spec.graceMs,
    logCapBytes: spec.logCapBytes,
  };
}
