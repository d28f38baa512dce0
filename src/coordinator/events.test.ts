import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CALLER } from '../../test/support/ledger-at-hand.ts';
import { LoggingTasks } from '../../test/support/logging-tasks.ts';
import { until } from '../../test/support/until.ts';
import { EventsQuery, EventsReply, type EventView } from '../api/insight.ts';
import { EVENT_KINDS } from '../core/event-text.ts';

let tasks: LoggingTasks;
beforeEach(async () => {
  tasks = await LoggingTasks.open();
});
afterEach(() => tasks.dispose());

async function list(query: Partial<EventsQuery> = {}) {
  return EventsReply.parse(await tasks.at.coordinator.events(CALLER, EventsQuery.parse(query)));
}
const kinds = (events: readonly EventView[]) => events.map(({ kind }) => kind);

/** Follows from now on. */
async function watch(query: Partial<EventsQuery> = {}) {
  const seen: EventView[] = [];
  const stop = await tasks.at.coordinator.watchEvents(CALLER, EventsQuery.parse(query), (page) => seen.push(...page));
  return { seen, stop };
}

describe('a list of events', () => {
  test('is of everything or of one job, by pages', async () => {
    const a = await tasks.at.submit({ array: '0-2', name: 'first' });
    await tasks.at.submit({ name: 'second' });
    await tasks.at.coordinator.hold(CALLER, String(a), {});
    const all = await list();
    expect(kinds(all.events)).toEqual(['sessionOpened', 'jobSubmitted', 'jobSubmitted', 'jobHeld']);
    expect(all.events[1]).toMatchObject({ jobId: a, text: `job ${a} (first) was submitted by 1000: 3 tasks` });
    expect(all).not.toHaveProperty('next');
    expect(all.events[0]).not.toHaveProperty('jobId');
    const first = await list({ limit: 3 });
    expect(first.events).toEqual(all.events.slice(0, 3));
    expect((await list({ limit: 3, after: first.next! })).events).toEqual(all.events.slice(3));
    expect(kinds((await list({ ref: 'first' })).events)).toEqual(['jobSubmitted', 'jobHeld']);
  });

  test('of a task tells its attempts among what happened to its job', async () => {
    const { at, worker } = tasks;
    const id = await at.submit({ array: '5-6', retries: 1 });
    at.clock.pass(1_000);
    await worker.start(id, 0);
    at.clock.pass(3_000);
    await tasks.end(id, [{ position: 0, outcome: 3, wallUs: 3_000_000 }]);
    at.clock.pass(500);
    await at.coordinator.update(CALLER, String(id), { throttle: 7 });
    at.clock.pass(500);
    await worker.start(id, 0);
    const { events } = await list({ ref: `${id}_5` });
    expect(events.map(({ text }) => text)).toEqual([
      `job ${id} (true) was submitted by 1000: 2 tasks`,
      `attempt 1 of ${id}_5 started on w`,
      `attempt 1 of ${id}_5 ended on w after 3.0s: exit 3`,
      `job ${id} updated: throttle = 7 (2 tasks)`,
      `attempt 2 of ${id}_5 started on w`,
    ]);
    expect(events[2]).toMatchObject({ task: `${id}_5`, jobId: id, detail: { attempt: 1, exitCode: 3, worker: 'w' } });
    const paged: EventView[] = [];
    for (let after: number | undefined = 0; after !== undefined; ) {
      const page: EventsReply = await list({ ref: `${id}_5`, after, limit: 2 });
      paged.push(...page.events);
      after = page.next;
    }
    expect(paged).toEqual(events);
    await tasks.end(id, [{ position: 0 }, { position: 1 }]);
    at.evictAll();
    expect(kinds((await list({ ref: `${id}_5` })).events).slice(-2)).toEqual(['jobEnded', 'attemptEnded']);
  });

  test('of what is not there is an error', async () => {
    const id = await tasks.at.submit({ array: '0-3' });
    await expect(list({ ref: '77' })).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
    await expect(list({ ref: `${id}_9` })).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    await expect(list({ ref: `${id}_[1-2]` })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  });
});

describe('following events', () => {
  test('tells those of the past, then each one once, over many commits', async () => {
    const { at } = tasks;
    await at.submit();
    const { seen, stop } = await watch({ limit: 2 });
    await until('events', () => seen.length === 2);
    const ids = await Promise.all(Array.from({ length: 20 }, (_, n) => at.submit({ name: `n${n}` })));
    for (const id of ids) await at.coordinator.hold(CALLER, String(id), {});
    await until('events', () => seen.length === 42);
    expect(seen).toEqual((await list()).events);
    stop();
    await at.submit();
    await at.ledger.idle();
    expect(seen).toHaveLength(42);
  });

  test('tells nothing that was refused', async () => {
    const { at } = tasks;
    const { seen, stop } = await watch();
    await until('events', () => seen.length === 1);
    const store = at.ledger.ports.store as { commit: unknown };
    const { commit } = store;
    store.commit = () => Promise.reject(new Error('broken'));
    await expect(at.submit()).rejects.toThrow();
    store.commit = commit;
    await at.submit({ name: 'after' });
    await until('events', () => seen.length > 1);
    expect(seen.slice(1).map(({ detail }) => detail.name)).toEqual(['after']);
    stop();
  });

  test('after an id, of one job, and of a task with its attempts', async () => {
    const { at, worker } = tasks;
    const id = await at.submit({ array: '0-1' });
    const ofJob = await watch({ ref: String(id) });
    const ofTask = await watch({ ref: `${id}_1` });
    const later = await watch({ after: 2 });
    at.clock.pass(10);
    await worker.start(id, 1);
    at.clock.pass(10);
    await tasks.end(id, [{ position: 1, wallUs: 10_000 }]);
    at.clock.pass(10);
    await at.coordinator.cancel(CALLER, String(id), {});
    await tasks.end(id, [{ position: 0, outcome: 1 }]);
    await until('events', () => ofTask.seen.length === 5);
    expect(kinds(ofTask.seen)).toEqual(['jobSubmitted', 'attemptStarted', 'attemptEnded', 'jobCancelled', 'jobEnded']);
    await until('events', () => ofJob.seen.length === 3 && later.seen.length === 2);
    expect(kinds(ofJob.seen)).toEqual(['jobSubmitted', 'jobCancelled', 'jobEnded']);
    expect(kinds(later.seen)).toEqual(['jobCancelled', 'jobEnded']);
    for (const { stop } of [ofJob, ofTask, later]) stop();
  });
});

test('a start that was told is not told again when the end says that it was later', async () => {
  const { at, worker } = tasks;
  const id = await at.submit({ array: '0-1' });
  await worker.start(id, 0);
  const { seen, stop } = await watch({ ref: `${id}_0` });
  await until('events', () => seen.length === 2);
  at.clock.pass(3_000);
  await tasks.end(id, [{ position: 0, wallUs: 2_900_000 }]);
  await until('events', () => seen.length > 2);
  expect(kinds(seen)).toEqual(['jobSubmitted', 'attemptStarted', 'attemptEnded']);
  expect(kinds((await list({ ref: `${id}_0`, after: seen[1]!.id })).events)).toEqual(['attemptEnded']);
  expect(kinds((await list({ ref: `${id}_0`, after: seen[0]!.id })).events)).toEqual([
    'attemptStarted',
    'attemptEnded',
  ]);
  stop();
});

test('every kind that is written anywhere has a text', () => {
  const sources = (readdirSync(import.meta.dirname, { recursive: true }) as string[])
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'));
  const calls = sources.flatMap((source) => [...source.matchAll(/\.event\(\s*[^,]+,\s*[^,]+,\s*([^,]+),/g)]);
  const table = sources.flatMap((source) => /const EVENTS: Record<Verb, string> = \{([^}]+)\}/.exec(source)?.[1] ?? []);
  const written = [...calls.map((call) => call[1]!), ...table].flatMap((text) =>
    text === 'EVENTS[verb]' ? [] : [...text.matchAll(/'(\w+)'/g)].map((kind) => kind[1]!),
  );
  expect(calls.length).toBeGreaterThan(8);
  expect(table).toHaveLength(1);
  const told = sources.flatMap((source) =>
    [...source.matchAll(/(?<!\[)'(instance[A-Z]\w+)'/g)].map((kind) => kind[1]!),
  );
  expect(told.filter((kind) => !EVENT_KINDS.includes(kind))).toEqual([]);
  // Of instances, `tell` in change.ts is given the kind.
  expect(calls.filter((call) => !/^('\w+'|EVENTS\[verb\]|kind)$/.test(call[1]!)).map((call) => call[0])).toEqual([]);
  expect(written.filter((kind) => !EVENT_KINDS.includes(kind))).toEqual([]);
});
