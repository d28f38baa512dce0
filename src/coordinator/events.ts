import type { EventsQuery, EventsReply, EventView } from '../api/insight.ts';
import { SpawnError } from '../core/errors.ts';
import { eventText } from '../core/event-text.ts';
import { asJobId, formatTaskId } from '../core/ids.ts';
import type { StoredEvent } from '../store/store.ts';
import type { Ledger } from './ledger.ts';
import { lookAt } from './reading.ts';
import { resolveRef, selectRuns } from './refs.ts';
import { attemptEvents, attemptOfKey, keyOfEvent, runningAttempt } from './task-events.ts';

/** Job events that are read at a time to be put among the attempts of a task. */
const SLICE = 1_000;

/** Gives the events after an id, at most `limit`. */
interface Source {
  /** The only job it is about; undefined: all. */
  readonly jobId: number | undefined;
  /** Whether its entries are more than stored events. */
  readonly ofTask: boolean;
  read(after: number, limit: number): Promise<EventView[]>;
}

export async function listEvents(ledger: Ledger, { ref, after, limit }: EventsQuery): Promise<EventsReply> {
  const source = await findSource(ledger, ref);
  const events = await source.read(after, limit + 1);
  return events.length <= limit ? { events } : { events: events.slice(0, limit), next: events[limit - 1]!.id };
}

/**
 * Reads on from the store whenever something was committed: so what is told is durable, in order, each once, however many commits
 * pass while one page is read.
 */
export async function watchEvents(
  ledger: Ledger,
  query: EventsQuery,
  listener: (events: readonly EventView[]) => void,
): Promise<() => void> {
  const source = await findSource(ledger, query.ref);
  let { after } = query;
  let stopped = false;
  let reading = false;
  let again = false;
  const readOn = async (): Promise<void> => {
    again = true;
    if (reading) return;
    reading = true;
    try {
      while (again && !stopped) {
        again = false;
        for (;;) {
          const page = await source.read(after, query.limit);
          if (stopped || page.length === 0) break;
          after = page.at(-1)!.id;
          listener(page);
        }
      }
    } catch {
      // The store cannot be read: what is missing comes with the next commit.
    } finally {
      reading = false;
    }
  };
  const wake = () => void readOn();
  const stop =
    source.ofTask && source.jobId !== undefined
      ? ledger.watchers.add(source.jobId, wake)
      : ledger.watchers.onEvents(wake);
  wake();
  return () => {
    stopped = true;
    stop();
  };
}

async function findSource(ledger: Ledger, ref: string | undefined): Promise<Source> {
  const { store } = ledger.ports;
  if (ref === undefined) {
    return {
      jobId: undefined,
      ofTask: false,
      read: async (after, limit) => (await store.findEvents({ after, limit })).map(viewEvent),
    };
  }
  const resolved = await resolveRef(ledger.memory, store, ref, 'look');
  const { id: jobId, indices } = resolved;
  if (indices === null) {
    await findJob(ledger, jobId);
    return {
      jobId,
      ofTask: false,
      read: async (after, limit) => (await store.findEvents({ jobId, after, limit })).map(viewEvent),
    };
  }
  if (indices.size > 1)
    throw new SpawnError('BAD_REQUEST', { where: 'ref', expected: 'a job or one task', found: ref });
  const task = formatTaskId(asJobId(jobId), indices.min);
  const lookNow = () =>
    lookAt(ledger, jobId, ({ job }) => {
      const [run] = selectRuns(job, resolved, undefined);
      const position = run![0];
      return { position, running: runningAttempt(job, position) };
    });
  await lookNow();
  const read = async (after: number, limit: number) => {
    const { position, running } = await lookNow();
    const attempts = await attemptEvents(store, jobId, position, task, running);
    const all = [...(await jobEvents(ledger, jobId)), ...attempts];
    // When an attempt has ended, its start is reckoned from the end, and may seem later than it was told to be.
    const told = attemptOfKey(after);
    const isTold = ({ kind, detail }: EventView) => kind === 'attemptStarted' && Number(detail.attempt) <= told;
    return all
      .filter((event) => event.id > after && !isTold(event))
      .toSorted((a, b) => a.id - b.id)
      .slice(0, limit);
  };
  return { jobId, ofTask: true, read };
}

/** Errors: JOB_NOT_FOUND. */
async function findJob(ledger: Ledger, id: number): Promise<void> {
  if (ledger.memory.jobs.has(id)) return;
  const [newest] = await ledger.ports.store.findJobs({ live: false, before: id + 1, limit: 1 });
  if (newest?.id !== id) throw new SpawnError('JOB_NOT_FOUND', { ref: String(id) });
}

async function jobEvents({ ports }: Ledger, jobId: number): Promise<EventView[]> {
  const events: EventView[] = [];
  for (let after = 0; ; ) {
    const some = await ports.store.findEvents({ jobId, after, limit: SLICE });
    for (const event of some) events.push({ ...viewEvent(event), id: keyOfEvent(event.at, event.id) });
    if (some.length < SLICE) return events;
    after = some.at(-1)!.id;
  }
}

function viewEvent({ id, at, jobId, kind, detail: text }: StoredEvent): EventView {
  const detail = JSON.parse(text) as Record<string, unknown>;
  return { id, at, kind, ...(jobId === 0 ? {} : { jobId }), text: eventText(kind, jobId, detail), detail };
}
