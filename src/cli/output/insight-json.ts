import type { Blocker, EventView, FailureGroup, SummaryReply, WhyReply } from '../../api/insight.ts';
import type { InstanceView } from '../../api/instance.ts';
import { isoTime } from './format.ts';
import { arrayJson } from './instance-sheet.ts';
import { jobJson, taskJson } from './json.ts';

/** The job's own fields, then what a summary adds; lists hold flat objects. */
export function summaryJson(summary: SummaryReply, instances?: readonly InstanceView[]): object {
  return {
    ...jobJson(summary.job),
    rate_per_second: summary.ratePerSecond ?? null,
    eta_at: isoTime(summary.etaAt),
    retried_tasks: summary.retriedTasks,
    ...arrayJson(instances),
    failures: summary.failures.map(failureJson),
    slowest: summary.slowest.map(taskJson),
    longest_running: summary.longestRunning.map(taskJson),
  };
}

/** Names of the API, as in JSON of this program. */
function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function failureJson(group: FailureGroup): object {
  return {
    cause: snake(group.cause),
    exit_code: group.exitCode ?? null,
    signal: group.signal ?? null,
    outcome: group.outcome,
    message: group.message ?? null,
    tasks: group.tasks,
    estimated: group.estimated,
    example: group.example,
    indices: group.indices,
  };
}

export function whyJson(why: WhyReply): object {
  return {
    ref: why.ref,
    job_id: why.job.id,
    job_state: why.job.state,
    task_state: why.task?.state ?? null,
    blockers: why.blockers.map(blockerJson),
  };
}

function blockerJson(blocker: Blocker): object {
  return {
    rule: snake(blocker.rule),
    text: blocker.text,
    tasks: blocker.tasks,
    until_at: isoTime(blocker.untilAt),
    holders: blocker.holders.map(({ kind, id, text }) => ({ kind, id, text })),
  };
}

/** `detail` is of each kind its own, with the names that the API gives. */
export function eventJson(event: EventView): object {
  return {
    id: event.id,
    at: isoTime(event.at),
    kind: snake(event.kind),
    job_id: event.jobId ?? null,
    task: event.task ?? null,
    text: event.text,
    detail: event.detail,
  };
}
