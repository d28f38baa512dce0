import { shownUsd } from './instance-cost.ts';
import { counted, listed, shownCount, shownDuration } from './shown.ts';

/** The job that a notice is about, as it was then. */
export interface NoticeJob {
  readonly id: number;
  readonly arrayId: string;
  readonly name: string;
  readonly owner: string;
  readonly state: string;
  readonly size: number;
  /** Tasks by state; states without any are left out. */
  readonly counts: Readonly<Record<string, number>>;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly exitCode?: number;
}

/** One thing that happened, as it is stored until it is told. JSON. */
export interface Notice {
  /** Of api/alert.ts. */
  readonly event: string;
  /** Epoch ms. */
  readonly at: number;
  readonly job?: NoticeJob;
  /** `12_4`, and how it ended: with first_failure and task_failed. */
  readonly task?: string;
  readonly outcome?: string;
  /** Indices of failed tasks, cut when there are many. */
  readonly failed?: string;
  /** How many failed in which way, most first. */
  readonly causes?: readonly (readonly [outcome: string, tasks: number])[];
  /** What was reached: `10 failures`. */
  readonly reached?: string;
  readonly cost?: { readonly spent: number; readonly amount: number; readonly of: string };
  /** With workflow_ended; what became of its jobs is known when it is told. */
  readonly workflow?: {
    readonly first: number;
    readonly count: number;
    readonly name?: string;
    /** Jobs by state. */
    readonly states?: Readonly<Record<string, number>>;
    /** `job 3 (fit)`, of those that did not complete. */
    readonly bad?: readonly string[];
  };
  /** Of an instance: a sentence. */
  readonly text?: string;
}

/** Notices that are told one by one in a message; of the others it says how many there are. */
export const MOST_NOTICES = 20;

/** The first line of a message. */
export function subjectOf(notices: readonly Notice[], total: number): string {
  const [first] = notices;
  if (first === undefined) return 'spawn: test message';
  const more = total > 1 ? ` (and ${shownCount(total - 1)} more)` : '';
  return `spawn: ${sentenceOf(first)}${more}`;
}

/** The whole message, as plain text. */
export function bodyOf(notices: readonly Notice[], total: number): string {
  if (notices.length === 0) return 'This is a test of an alert of spawn. Nothing happened.\n';
  const blocks = notices.map((notice) => [`${sentenceOf(notice)}.`, ...detailsOf(notice)].join('\n'));
  const left = total - notices.length;
  return `${[...blocks, ...(left > 0 ? [`${shownCount(left)} more of the same kind are left out.`] : [])].join('\n\n')}\n`;
}

function about({ id, name }: NoticeJob): string {
  return `job ${id} (${name})`;
}

/** `job 12 (sweep) failed: 3 of 100 tasks failed`, without a full stop. */
export function sentenceOf(notice: Notice): string {
  const { event, job, task, outcome, text, cost, reached, workflow } = notice;
  if (workflow !== undefined) return workflowEnded(workflow);
  if (cost !== undefined) return `${cost.of} has cost ${shownUsd(cost.spent)}, more than ${shownUsd(cost.amount)}`;
  if (text !== undefined || job === undefined) return text ?? event;
  switch (event) {
    case 'start':
      return `${about(job)} started: ${counted(job.size, 'task')}`;
    case 'first_failure':
      return `first failure of ${about(job)}: task ${task}, ${outcome}`;
    case 'task_failed':
      return `task ${task} of ${about(job)} failed: ${outcome}`;
    case 'threshold':
      return `${about(job)} has reached ${reached}`;
    case 'long_running':
      return `${about(job)} has run for ${shownDuration(notice.at - (job.startedAt ?? notice.at))}`;
    default:
      return ended(job);
  }
}

function workflowEnded({ first, name, count, states }: NonNullable<Notice['workflow']>): string {
  const what = `workflow ${first}${name === undefined ? '' : ` (${name})`} ended`;
  if (states === undefined) return `${what}: ${counted(count, 'job')}`;
  return `${what}: ${listed(Object.entries(states).map(([state, jobs]) => `${shownCount(jobs)} ${state}`))} of ${counted(count, 'job')}`;
}

function ended(job: NoticeJob): string {
  const { completed = 0, failed = 0, cancelled = 0, skipped = 0 } = job.counts;
  const bad = [
    ...(failed > 0 ? [`${shownCount(failed)} failed`] : []),
    ...(cancelled > 0 ? [`${shownCount(cancelled)} cancelled`] : []),
    ...(skipped > 0 ? [`${shownCount(skipped)} skipped`] : []),
  ];
  const took =
    job.startedAt === undefined || job.endedAt === undefined
      ? ''
      : ` after ${shownDuration(Math.max(0, job.endedAt - job.startedAt))}`;
  const what = bad.length === 0 ? counted(completed, 'task') : `${listed(bad)} of ${counted(job.size, 'task')}`;
  return `${about(job)} ${job.state}${took}: ${what}`;
}

function detailsOf({ at, job, failed, causes = [], workflow }: Notice): string[] {
  const lines: [string, string | undefined][] = [
    ['time', new Date(at).toISOString()],
    ['array id', job?.arrayId],
    ['owner', job?.owner],
    ['state', job?.state],
    [
      'tasks',
      job === undefined
        ? undefined
        : Object.entries(job.counts)
            .map(([state, tasks]) => `${shownCount(tasks)} ${state}`)
            .join(', '),
    ],
    ['exit code', job?.exitCode === undefined ? undefined : String(job.exitCode)],
    [
      'failures',
      causes.length === 0 ? undefined : causes.map(([how, tasks]) => `${how}: ${shownCount(tasks)}`).join(', '),
    ],
    ['failed indices', failed],
    ['not completed', workflow?.bad === undefined || workflow.bad.length === 0 ? undefined : workflow.bad.join(', ')],
  ];
  return lines.flatMap(([name, value]) => (value === undefined ? [] : [`  ${`${name}:`.padEnd(15)} ${value}`]));
}
