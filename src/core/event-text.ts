import { shownUsd } from './instance-cost.ts';
import { outcomeText } from './outcome.ts';
import { counted, shownBytes, shownDuration } from './shown.ts';

type Detail = Readonly<Record<string, unknown>>;
/** `about` is `job 12`, or '' when the event is about no job. */
type Text = (about: string, detail: Detail) => string;

const number = (value: unknown): number => (typeof value === 'number' ? value : 0);
const tasks = (detail: Detail, field = 'tasks'): string => counted(number(detail[field]), 'task');
const time = (value: unknown): string => new Date(number(value)).toISOString();

const instance = (detail: Detail): string => `instance ${detail.name} (${detail.instance})`;
const why = ({ reason, message }: Detail): string =>
  `${reason === undefined ? '' : `: ${reason}`}${message === undefined ? '' : ` (${message})`}`;
const replacement = (detail: Detail): string => (detail.replaced === true ? ' and is replaced' : '');
const period = (detail: Detail): string => (detail.period === 'month' ? 'a month' : 'in all');

const alertName = ({ alert }: Detail): string => (alert === undefined ? 'alert' : `alert ${alert}`);

/** Every kind of event there is, as a sentence for people. */
const TEXTS: Readonly<Record<string, Text>> = {
  jobSubmitted: (about, detail) =>
    `${about} (${detail.name}) was submitted by ${detail.owner}: ${tasks(detail, 'size')}`,
  jobEnded: (about, detail) => `${about} ended ${detail.state}, exit code ${detail.exitCode}`,
  jobCancelled: (about, detail) => `${tasks(detail)} of ${about} cancelled`,
  jobRetried: (about, detail) => `${tasks(detail)} of ${about} retried`,
  jobRequeued: (about, detail) => `${tasks(detail)} of ${about} requeued`,
  jobHeld: (about, detail) => `${tasks(detail)} of ${about} held`,
  jobReleased: (about, detail) => `${tasks(detail)} of ${about} released`,
  jobSuspended: (about, detail) => `${tasks(detail)} of ${about} suspended`,
  jobResumed: (about, detail) => `${tasks(detail)} of ${about} resumed`,
  jobSignalled: (about, detail) =>
    `${outcomeText({ kind: 'signalled', signal: number(detail.signal) })} sent to ${tasks(detail)} of ${about}`,
  jobUpdated: (about, { tasks: count, ...fields }) =>
    `${about} updated: ${changes(fields)} (${tasks({ tasks: count })})`,
  /** Of releases before jobUpdated. */
  throttleChanged: (about, detail) => `throttle of ${about} set to ${detail.throttle}`,
  maxFailuresReached: (about, detail) => `too many tasks of ${about} failed: ${tasks(detail, 'cancelled')} cancelled`,
  minSuccessMissed: (about, detail) =>
    `too few tasks of ${about} can still succeed: ${number(detail.needed)} are needed, ${tasks(detail, 'cancelled')} cancelled`,
  jobPlanned: (about, detail) => `${about} has ${counted(number(detail.parts), 'part')}: job ${detail.plan} found them`,
  workflowStopped: (about, detail) => `${about} failed and stops its workflow: ${tasks(detail, 'cancelled')} cancelled`,
  deadlineChanged: (about, { deadlineAt }) =>
    deadlineAt === null ? `${about} has no deadline any more` : `deadline of ${about} set to ${time(deadlineAt)}`,
  deadlinePassed: (about, detail) => `the deadline of ${about} passed: ${tasks(detail, 'cancelled')} cancelled`,
  canaryPassed: (about, detail) => `${tasks(detail)} that ${about} tried first completed: the others follow`,
  canaryFailed: (about, detail) =>
    `${counted(number(detail.notCompleted), 'task')} of ${number(detail.tasks)} that ${about} tried first did not complete: ${tasks(detail, 'cancelled')} cancelled`,
  jobsPruned: (_about, detail) => `${counted(number(detail.jobs), 'ended job')} with ${tasks(detail)} removed for ever`,
  gangBroken: (about, detail) =>
    `worker ${detail.worker} had a part in a gang, index ${detail.index} of ${about}, and ${detail.reason}: the attempt is stopped and lost`,
  sessionOpened: (_about, { worker, host, session }) =>
    `worker ${worker}${worker === host ? '' : ` on ${host}`} connected (session ${session})`,
  sessionResumed: (_about, detail) =>
    `another agent on ${detail.host} goes on for ${detail.worker} (session ${detail.session})`,
  sessionClosed: (_about, detail) => `worker ${detail.worker} is gone (session ${detail.session}): ${detail.reason}`,
  instanceRunning: (about, detail) => `${instance(detail)} of ${about} runs`,
  instanceStopped: (about, detail) => `${instance(detail)} of ${about} stopped${why(detail)}`,
  instanceHibernated: (about, detail) => `${instance(detail)} of ${about} hibernated${why(detail)}`,
  instanceTerminated: (about, detail) => `${instance(detail)} of ${about} ended${why(detail)}`,
  instanceLaunchFailed: (about, detail) => `${instance(detail)} of ${about} could not be started: ${detail.message}`,
  instanceCompleted: (about, detail) => `${instance(detail)} of ${about} said that it is complete: ${detail.status}`,
  instanceAsked: (about, detail) => `${detail.verb} of ${instance(detail)} of ${about} was asked for`,
  instanceExtended: (about, detail) =>
    `${instance(detail)} of ${about} has ${shownDuration(number(detail.ttlLeftMs))} until its TTL ends`,
  instanceInterruptNotice: (about, detail) =>
    `${instance(detail)} of ${about} will be interrupted in ${shownDuration(number(detail.noticeMs))}`,
  instanceTtlWarning: (about, detail) => `${instance(detail)} of ${about}: ${detail.text}`,
  instanceCostWarning: (about, detail) => `${instance(detail)} of ${about}: ${detail.text}`,
  instanceIdleWarning: (about, detail) => `${instance(detail)} of ${about}: ${detail.text}`,
  instanceInterruptWarning: (about, detail) => `${instance(detail)} of ${about}: ${detail.text}`,
  memberLost: (about, detail) => `${instance(detail)} of ${about} was lost${replacement(detail)}`,
  memberInterrupted: (about, detail) => `${instance(detail)} of ${about} was interrupted${replacement(detail)}`,
  arrayReady: (about, detail) => `all members of ${about} have run: ${counted(number(detail.running), 'instance')} now`,
  arrayFailed: (about, detail) => `${about} failed as a whole: ${detail.why}`,
  arrayResized: (about, detail) => `${about} was resized from ${detail.from} to ${detail.to}`,
  arrayCompleted: (about, detail) => `the last instance of ${about} ended: ${shownUsd(number(detail.cost))} in all`,
  costLimitReached: (about, detail) =>
    `${about} has used up its ${detail.by === 'budget' ? "owner's budget" : 'cost limit'}`,
  costLimitNearlyUsedUp: (about, detail) =>
    `${about} has cost ${shownUsd(number(detail.spent))} of its cost limit of ${shownUsd(number(detail.limit))}`,
  budgetSet: (_about, detail) =>
    detail.amount === null
      ? `the budget of ${detail.owner} was removed`
      : `the budget of ${detail.owner} is ${shownUsd(number(detail.amount))} ${period(detail)}`,
  budgetNearlyUsedUp: (_about, detail) =>
    `${detail.owner} has spent ${shownUsd(number(detail.spent))} of ${shownUsd(number(detail.amount))} ${period(detail)}`,
  budgetUsedUp: (_about, detail) =>
    `the budget of ${detail.owner} is used up: ${shownUsd(number(detail.amount))} ${period(detail)}`,
  orphanReaped: (_about, detail) => `instance ${detail.instance}, of which nothing is known, was ended`,
  alertCreated: (_about, detail) => `alert ${detail.alert} made by ${detail.by}: ${detail.kind} to ${detail.target}`,
  alertDeleted: (_about, detail) => `alert ${detail.alert} deleted by ${detail.by}`,
  alertRaised: (_about, detail) => `${alertName(detail)}: ${detail.text}`,
  alertFailed: (_about, detail) =>
    `${alertName(detail)}: not delivered to ${detail.target} after ${counted(number(detail.attempts), 'attempt')}: ${detail.reason}`,
  tokenCreated: (_about, detail) => `token ${detail.name} (${detail.role}) created for ${detail.owner} by ${detail.by}`,
  tokenRevoked: (_about, detail) => `token ${detail.name} revoked by ${detail.by}`,
};

export const EVENT_KINDS: readonly string[] = Object.keys(TEXTS);

/** One line for people; the kind alone when this release does not know it. */
export function eventText(kind: string, jobId: number, detail: Detail): string {
  const text = TEXTS[kind];
  const about = jobId === 0 ? '' : `job ${jobId}`;
  return text === undefined ? [kind, about].filter((part) => part !== '').join(' of ') : text(about, detail);
}

const BYTES = /Bytes$/;
const AT = /At$/;

function changes(fields: Detail): string {
  return Object.entries(fields)
    .map(([field, value]) => `${field} = ${value === null ? 'none' : shownValue(field, value)}`)
    .join(', ');
}

function shownValue(field: string, value: unknown): string {
  if (typeof value !== 'number') return JSON.stringify(value);
  return BYTES.test(field) ? shownBytes(value) : AT.test(field) ? time(value) : String(value);
}
