import type { TokensQueryInput, TokensReply, TokenView } from '../api/access.ts';
import type { HistoryJob, HistoryQueryInput, HistoryReply } from '../api/history.ts';
import type { EventsQueryInput, EventsReply, EventView } from '../api/insight.ts';
import type { JobsQueryInput, JobsReply, JobView, TasksQueryInput, TasksReply, TaskView } from '../api/job.ts';
import type { QueueJob, QueueQueryInput, QueueReply } from '../api/queue.ts';
import type { CallOptions } from './connection.ts';
import { jobPath, search } from './paths.ts';
import { SessionCalls } from './session-calls.ts';

/**
 * Lists. Each comes in pages of at most `limit` (default 1,000, at most 10,000; tokens 1,000) and is paged by key: `next` of a reply
 * is the key to ask for the page after it with, and absent on the last one. What comes and goes meanwhile moves nothing from one
 * page to another: whatever is there all the time is told once. The methods `all…` walk through the pages.
 */
export class ListCalls extends SessionCalls {
  /** Jobs, newest first: those that have not ended, or with `show: 'all'` ended ones too. `before: next` gives the next page. */
  jobs(query: JobsQueryInput = {}, options?: CallOptions): Promise<JobsReply> {
    return this.json('GET', `/v1/jobs${search(query)}`, options);
  }

  /** Every job that `jobs` lists; `limit` is the size of a page, each of which is a call of its own. */
  allJobs(query: JobsQueryInput = {}, options?: CallOptions): AsyncGenerator<JobView, void, undefined> {
    return walk(
      (before) => this.jobs({ ...query, ...(before === undefined ? {} : { before }) }, options),
      ({ jobs }) => jobs,
    );
  }

  /**
   * Tasks of a job in the order of their indices; `state` (`failed,cancelled`) and `index` (`0-99:2`) select some. `after: next`
   * gives the next page: a position, not an index. A state is that of the moment in which its page is read.
   * Errors: JOB_NOT_FOUND, TASK_NOT_FOUND, BAD_INDEX_SET.
   */
  tasks(ref: string, query: TasksQueryInput = {}, options?: CallOptions): Promise<TasksReply> {
    return this.json('GET', `${jobPath(ref)}/tasks${search(query)}`, options);
  }

  /** Every task that `tasks` lists; `limit` is the size of a page. */
  allTasks(ref: string, query: TasksQueryInput = {}, options?: CallOptions): AsyncGenerator<TaskView, void, undefined> {
    return walk(
      (after) => this.tasks(ref, { ...query, ...(after === undefined ? {} : { after }) }, options),
      ({ tasks }) => tasks,
    );
  }

  /**
   * What waits, in groups of tasks that wait for the same, and what runs, task by task; with `ended` also what ended in the last so many
   * seconds. `after: next` gives the next page, which may go on with the job that was last. Errors: TASK_NOT_FOUND and AMBIGUOUS_NAME
   * for `ids`; an id that names nothing is told in `missing`.
   */
  queue(query: QueueQueryInput = {}, options?: CallOptions): Promise<QueueReply> {
    return this.json('GET', `/v1/queue${search(query)}`, options);
  }

  /** All that `queue` tells, page after page: a job comes in as many parts as there are pages with some of it. */
  allQueue(query: QueueQueryInput = {}, options?: CallOptions): AsyncGenerator<QueueJob, void, undefined> {
    return walk(
      (after: string | undefined) => this.queue({ ...query, ...(after === undefined ? {} : { after }) }, options),
      ({ jobs }) => jobs,
    );
  }

  /**
   * What was and what is: attempts one by one, by default the last of each task, and in groups what has not started or never did. First jobs that are
   * no arrays, then arrays, each by number. `after: next` gives the next page, which may go on with the job that was last. Errors: as `queue`.
   */
  history(query: HistoryQueryInput = {}, options?: CallOptions): Promise<HistoryReply> {
    return this.json('GET', `/v1/history${search(query)}`, options);
  }

  /** All that `history` tells, page after page: a job comes in as many parts as there are pages with some of it. */
  allHistory(query: HistoryQueryInput = {}, options?: CallOptions): AsyncGenerator<HistoryJob, void, undefined> {
    return walk(
      (after: string | undefined) => this.history({ ...query, ...(after === undefined ? {} : { after }) }, options),
      ({ jobs }) => jobs,
    );
  }

  /** What happened, oldest first: to everything, or with `ref` to one job or task. `after: next` gives the next page. */
  events(query: EventsQueryInput = {}, options?: CallOptions): Promise<EventsReply> {
    return this.json('GET', `/v1/events${search(query)}`, options);
  }

  /** Every event until now; `watchEvents` goes on with what comes. `limit` is the size of a page. */
  allEvents(query: EventsQueryInput = {}, options?: CallOptions): AsyncGenerator<EventView, void, undefined> {
    return walk(
      (after) => this.events({ ...query, ...(after === undefined ? {} : { after }) }, options),
      ({ events }) => events,
    );
  }

  /** Tokens that are valid, or with `all: '1'` also others; never what was given out. For admins. `after: next` gives the next page. */
  tokens(query: TokensQueryInput = {}, options?: CallOptions): Promise<TokensReply> {
    return this.json('GET', `/v1/tokens${search(query)}`, options);
  }

  /** Every token that `tokens` lists. */
  allTokens(query: TokensQueryInput = {}, options?: CallOptions): AsyncGenerator<TokenView, void, undefined> {
    return walk(
      (after) => this.tokens({ ...query, ...(after === undefined ? {} : { after }) }, options),
      ({ tokens }) => tokens,
    );
  }
}

/** The entries of page after page, each asked for with the key that the one before gave. */
async function* walk<Key extends number | string, Page extends { next?: Key | undefined }, Entry>(
  ask: (key: Key | undefined) => Promise<Page>,
  entries: (page: Page) => readonly Entry[],
): AsyncGenerator<Entry, void, undefined> {
  let key: Key | undefined;
  do {
    const page = await ask(key);
    yield* entries(page);
    key = page.next;
  } while (key !== undefined);
}
