import { counted, shownBytes } from './shown.ts';

type Detail = Readonly<Record<string, unknown>>;
/** `about` is `job 12`, or '' when the event is about no job. */
type Text = (about: string, detail: Detail) => string;

const number = (value: unknown): number => (typeof value === 'number' ? value : 0);
const tasks = (detail: Detail, field = 'tasks'): string => counted(number(detail[field]), 'task');
const time = (value: unknown): string => new Date(number(value)).toISOString();

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
  jobUpdated: (about, { tasks: count, ...fields }) =>
    `${about} updated: ${changes(fields)} (${tasks({ tasks: count })})`,
  /** Of releases before jobUpdated. */
  throttleChanged: (about, detail) => `throttle of ${about} set to ${detail.throttle}`,
  maxFailuresReached: (about, detail) => `too many tasks of ${about} failed: ${tasks(detail, 'cancelled')} cancelled`,
  deadlineChanged: (about, { deadlineAt }) =>
    deadlineAt === null ? `${about} has no deadline any more` : `deadline of ${about} set to ${time(deadlineAt)}`,
  deadlinePassed: (about, detail) => `the deadline of ${about} passed: ${tasks(detail, 'cancelled')} cancelled`,
  canaryPassed: (about, detail) => `${tasks(detail)} that ${about} tried first completed: the others follow`,
  canaryFailed: (about, detail) =>
    `${counted(number(detail.notCompleted), 'task')} of ${number(detail.tasks)} that ${about} tried first did not complete: ${tasks(detail, 'cancelled')} cancelled`,
  jobsPruned: (_about, detail) => `${counted(number(detail.jobs), 'ended job')} with ${tasks(detail)} removed for ever`,
  sessionOpened: (_about, detail) => `worker ${detail.worker} on ${detail.host} connected (session ${detail.session})`,
  sessionResumed: (_about, detail) =>
    `another agent on ${detail.host} goes on for ${detail.worker} (session ${detail.session})`,
  sessionClosed: (_about, detail) => `worker ${detail.worker} is gone (session ${detail.session}): ${detail.reason}`,
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
