import type { EventView } from '../api/insight.ts';
import type { EndRecord } from '../core/end-chunk.ts';
import { GrantStatus } from '../core/grant-range.ts';
import type { Job } from '../core/job.ts';
import { decodeOutcome, exitCodeOf, outcomeText } from '../core/outcome.ts';
import { shownDuration } from '../core/shown.ts';
import type { Store } from '../store/store.ts';
import { readEnds } from './tasks.ts';

/** An attempt that runs. */
interface RunningAttempt {
  readonly attempt: number;
  readonly sessionId: number;
  readonly startedAt: number;
}

export function runningAttempt(job: Job, position: number): RunningAttempt | undefined {
  for (const range of job.grants) {
    const at = position - range.position;
    if (at < 0 || at >= range.count || range.status[at] !== GrantStatus.running) continue;
    const { sessionId } = range;
    return { attempt: range.attempts![at]!, sessionId, startedAt: range.startedAt![at]! };
  }
  return undefined;
}

/** Starts and ends of a task's attempts. No event is kept for each: they are told from what is stored of the attempts. */
export async function attemptEvents(
  store: Store,
  jobId: number,
  position: number,
  task: string,
  running: RunningAttempt | undefined,
): Promise<EventView[]> {
  const ends: EndRecord[] = [];
  await readEnds(store, jobId, [position], (end) => ends.push(end));
  const sessions = [
    ...new Set([...ends, ...(running === undefined ? [] : [running])].map(({ sessionId }) => sessionId)),
  ];
  const workers = new Map((await store.findSessions(sessions)).map(({ id, worker }) => [id, worker]));
  const about = { jobId, task };
  const started = ({ attempt, sessionId, startedAt }: RunningAttempt): EventView => {
    const worker = workers.get(sessionId);
    const text = `attempt ${attempt} of ${task} started${worker === undefined ? '' : ` on ${worker}`}`;
    const detail = { attempt, session: sessionId, worker };
    return { id: keyOf(startedAt, attempt * 2), at: startedAt, kind: 'attemptStarted', ...about, text, detail };
  };
  return [
    ...ends.flatMap((end) => {
      const wallMs = end.wallUs / 1000;
      const startedAt = Math.round(end.endedAt - end.suspendedMs - wallMs);
      return [started({ ...end, startedAt }), ended(end, workers.get(end.sessionId), about)];
    }),
    ...(running === undefined || ends.some(({ attempt }) => attempt === running.attempt) ? [] : [started(running)]),
  ];
}

function ended(end: EndRecord, worker: string | undefined, about: { jobId: number; task: string }): EventView {
  const { attempt, endedAt: at, sessionId: session } = end;
  const outcome = decodeOutcome(end.outcome);
  const wallMs = end.wallUs / 1000;
  const where = worker === undefined ? '' : ` on ${worker}`;
  return {
    id: keyOf(at, attempt * 2 + 1),
    at,
    kind: 'attemptEnded',
    ...about,
    text: `attempt ${attempt} of ${about.task} ended${where} after ${shownDuration(wallMs)}: ${outcomeText(outcome)}`,
    detail: {
      attempt,
      session,
      worker,
      outcome: outcomeText(outcome),
      exitCode: exitCodeOf(outcome),
      wallMs,
      cpuMs: end.cpuUs / 1000,
      maxRssBytes: end.maxRssKb * 1024,
    },
  };
}

const SLOTS = 512;

/**
 * Entries of a task's list come from two places, so neither's numbers order them. Theirs are made of the time, in ms, and in it of the
 * entry's own number: events of the job first, then attempts. An entry keeps its number whatever is added later.
 */
function keyOf(at: number, attemptEntry: number): number {
  return Math.floor(at) * 2 * SLOTS + SLOTS + (attemptEntry % SLOTS);
}

/** Which attempt's start or end an entry of that number tells of; 0 = an event of the job. */
export function attemptOfKey(key: number): number {
  return Math.max(0, Math.floor(((key % (2 * SLOTS)) - SLOTS) / 2));
}

/** As `keyOf`, for an event of the job. */
export function keyOfEvent(at: number, eventId: number): number {
  return Math.floor(at) * 2 * SLOTS + (eventId % SLOTS);
}
