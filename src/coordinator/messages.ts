import type { Placement } from '../api/gang.ts';
import type { JobForWorker } from '../api/session.ts';
import { SlurmForWorker } from '../api/slurm.ts';
import type { GrantRange } from '../core/grant-range.ts';
import { GrantStatus } from '../core/grant-range.ts';
import type { Job } from '../core/job.ts';
import { TaskState } from '../core/task-state.ts';
import type { Outgoing } from './changes.ts';
import { placementOf, prepareGang, prepareMember } from './gang.ts';
import { outputOf } from './job-row.ts';
import type { Link } from './link.ts';
import type { JobEntry, Memory } from './memory.ts';
import { runLength } from './revoke.ts';

/** Prepares what sessions are to be told; the call that sends it is made once it is durable. */
export function prepareMessages(
  memory: Memory,
  outgoing: ReadonlyMap<number, Outgoing>,
): (links: ReadonlyMap<number, Link>, steady: number) => void {
  const messages = [...outgoing].map(([id, each]) => [id, prepareFor(memory, id, each)] as const);
  return (links, steady) => {
    for (const [id, send] of messages) {
      const link = links.get(id);
      if (link !== undefined) send(link, steady);
    }
  };
}

function prepareFor(memory: Memory, sessionId: number, outgoing: Outgoing): (link: Link, steady: number) => void {
  const grants = [...outgoing.grants].flatMap(([jobId, ranges]) => {
    const lanes = new Set(ranges.map(({ lane }) => lane));
    const entry = memory.jobs.get(jobId)!;
    return [...lanes].flatMap((lane) => {
      const ofLane = lanes.size === 1 ? ranges : ranges.filter((range) => range.lane === lane);
      if (entry.job.lanes[lane]!.shape === undefined) return [prepareGrant(entry, lane, ofLane)];
      // What one has differs from what the next has.
      return ofLane.map((range) =>
        prepareGrant(entry, lane, [range], placementOf(memory, range, entry.job.lanes[lane]!)),
      );
    });
  });
  const members = outgoing.members.flatMap((range) => {
    const entry = memory.jobs.get(range.jobId);
    return entry === undefined ? [] : [prepareMemberOf(memory, sessionId, entry, range)];
  });
  const gangs = [...new Set(outgoing.gangs)].map((range) => prepareGang(memory, range));
  return (link, steady) => {
    // Before all that may get its place.
    if (outgoing.memberEnd.length > 0) link.send({ type: 'memberEnd', fences: outgoing.memberEnd });
    // Before the grant: what the task sees is there when it starts.
    if (outgoing.directive !== undefined) link.send({ type: 'instance', directive: outgoing.directive });
    for (const grant of grants) grant(link);
    for (const member of members) member(link, steady);
    for (const gang of gangs) gang(link);
    if (outgoing.revoke.length > 0) link.send({ type: 'revoke', fences: outgoing.revoke });
    for (const { on, fences } of outgoing.suspend) link.send({ type: on ? 'suspend' : 'resume', fences });
    if (outgoing.cancel.length > 0) link.send({ type: 'cancel', fences: outgoing.cancel });
    for (const { timeLimitMs, fences } of outgoing.limit) link.send({ type: 'limit', fences, timeLimitMs });
    for (const each of outgoing.signal) link.send({ type: 'signal', ...each });
    if (outgoing.drop.length > 0) link.send({ type: 'drop', fences: outgoing.drop });
  };
}

function prepareMemberOf(
  memory: Memory,
  sessionId: number,
  entry: JobEntry,
  range: GrantRange,
): (link: Link, steady: number) => void {
  const { job } = entry;
  const lanes = job.lanes.length;
  const tell = prepareMember(memory, sessionId, range, attemptAt(job, range.position));
  return (link, steady) => {
    if (tell === undefined) return;
    tellJob(link, entry, range.lane, lanes);
    tell(link, steady);
  };
}

function prepareGrant(
  entry: JobEntry,
  lane: number,
  ranges: readonly GrantRange[],
  placement?: Placement,
): (link: Link) => void {
  const { job } = entry;
  // Lanes that are added while this becomes durable are not.
  const lanes = job.lanes.length;
  const runs = ranges.flatMap(job.facts.bound ? everyRun : openRuns);
  const attempt = attemptsOf(job, runs);
  return (link) => {
    if (runs.length === 0) return;
    tellJob(link, entry, lane, lanes);
    const more = { ...(lane === 0 ? {} : { lane }), ...(placement === undefined ? {} : { placement }) };
    const n = link.send({ type: 'grant', job: job.id, runs, ...more, attempt });
    for (const range of ranges) range.sentN = n;
  };
}

/** What a worker must know before it hears of a task in a lane. @param lanes how many of them are durable */
function tellJob(link: Link, entry: JobEntry, lane: number, lanes: number): void {
  const { id } = entry.job;
  if ((link.known.get(id) ?? 0) > lane) return;
  link.known.set(id, lanes);
  link.send({ type: 'job', job: describe(entry, lanes) });
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

/** Of an instance, whose agent may have to be told again what runs there. */
function everyRun(range: GrantRange): [number, number, number][] {
  return range.open === 0 ? [] : [[range.fence, range.position, 1]];
}

/** One number where all are equal, which is nearly always. */
function attemptsOf(job: Job, runs: readonly [number, number, number][]): number | number[] {
  const first = runs.length === 0 ? 0 : attemptAt(job, runs[0]![1]);
  for (const [, position, count] of runs) {
    for (let at = position; at < position + count; at++)
      if (attemptAt(job, at) !== first) return allAttempts(job, runs);
  }
  return first;
}

function allAttempts(job: Job, runs: readonly [number, number, number][]): number[] {
  return runs.flatMap(([, position, count]) => Array.from({ length: count }, (_, at) => attemptAt(job, position + at)));
}

/** Number of the attempt that the current grant of a task is for. */
function attemptAt({ table }: Job, position: number): number {
  return table.attempts[position]! + (table.state[position] === TaskState.running ? 0 : 1);
}

/** What a worker needs to know; of what came with API 2 only what says something, so that one of API 1 gets what it knows. */
function describe({ job, fixed }: JobEntry, lanes: number): JobForWorker {
  const { spec } = fixed;
  const { inputPath, signal, user, stage, slurm } = spec;
  const { output: outputPath, error: errorPath } = outputOf(spec, job.outputPath);
  const more = job.lanes.slice(1, lanes);
  const [{ dependency, text }] = job.conditions;
  const after = dependency === job.facts.dependency ? (spec.after ?? '') : text;
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
    ...(after === '' ? {} : { after }),
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
    ...(spec.gpus === 0 ? {} : { gpus: spec.gpus }),
    ...(Object.keys(spec.resources).length === 0 ? {} : { resources: spec.resources }),
    ...(outputPath === undefined ? {} : { outputPath }),
    ...(errorPath === undefined ? {} : { errorPath }),
    ...(outputPath === undefined && errorPath === undefined ? {} : { openMode: spec.openMode }),
    ...(inputPath === undefined ? {} : { inputPath }),
    ...(signal === undefined ? {} : { signal }),
    ...(user === undefined ? {} : { user }),
    ...(stage === undefined ? {} : { stage }),
    ...(slurm === undefined ? {} : { slurm: SlurmForWorker.parse(slurm) }),
    ...(spec.input === undefined ? {} : { input: spec.input }),
    ...(job.plan === undefined || job.plan.hash === '' || spec.role?.kind === 'plan' ? {} : { plan: job.plan.hash }),
    ...(spec.output === undefined ? {} : { output: spec.output }),
    ...(spec.secrets === undefined ? {} : { secrets: spec.secrets }),
    ...(spec.heartbeatMs === 0 ? {} : { heartbeatMs: spec.heartbeatMs }),
    ...(spec.role === undefined ? {} : { role: spec.role }),
    ...(spec.params === undefined ? {} : { params: spec.params }),
    ...(spec.paramTable === undefined ? {} : { paramTable: spec.paramTable }),
    ...(more.length === 0 ? {} : { lanes: more.map(({ number, terms }) => ({ lane: number, ...terms })) }),
  };
}
