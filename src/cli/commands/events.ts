import type { EventView } from '../../api/insight.ts';
import { MAX_PAGE } from '../../api/limits.ts';
import { SpawnError } from '../../core/errors.ts';
import type { Client } from '../client.ts';
import { defineCommand } from '../command.ts';
import { wholeNumber } from '../option-values.ts';
import { isoTime } from '../output/format.ts';
import { eventJson } from '../output/insight-json.ts';
import { JsonArray } from '../output/json.ts';
import { type Column, Table } from '../output/table.ts';
import { linesOption } from '../output-option.ts';
import { readRef } from '../refs.ts';
import { untilInterrupted } from '../wait-for-job.ts';
import type { World } from '../world.ts';

const columns: readonly Column<EventView>[] = [
  { title: 'ID', leave: 1, right: true, value: ({ id }) => String(id) },
  { title: 'AT', value: ({ at }) => isoTime(at)! },
  { title: 'EVENT', value: ({ kind }) => kind },
  { title: 'OF', value: (event) => event.task ?? (event.jobId === undefined ? '' : String(event.jobId)) },
  { title: 'TEXT', wrap: true, value: ({ text }) => text },
];

/** Prints events as they come. */
type Show = (events: readonly EventView[]) => void;

export const events = defineCommand({
  usage: ['events [options] [JOB|TASK]'],
  about:
    'Lists what happened, oldest first: to a job, to a task with its attempts, or to everything. Through a pipe: one line an\n' +
    'event, tab-separated, without a header: id, time, kind, job or task, text.',
  options: {
    follow: { short: 'f', summary: 'Go on with what happens from now on, until Ctrl-C' },
    after: { value: 'ID', summary: 'Only events after this one', parse: wholeNumber(0, Number.MAX_SAFE_INTEGER) },
    limit: { value: 'N', summary: 'At most N events', parse: wholeNumber(1, 1_000_000_000) },
    format: linesOption,
  },
  operands: { name: 'JOB|TASK', min: 0, max: 1 },
  examples: [
    { line: 'spawn events 12', says: 'what became of a job' },
    { line: 'spawn events --follow -o jsonl', says: 'everything, for a program, as it happens' },
  ],
  run: async ({ options, operands }, world) => {
    const { format, follow } = options;
    if (follow && format === 'json') {
      throw new SpawnError('USAGE', {
        message: 'events: expected -o jsonl with --follow, found -o json, which has an end',
      });
    }
    const query = { ...(operands[0] === undefined ? {} : { ref: refOf(operands[0]) }), after: options.after ?? 0 };
    const limit = options.limit ?? Number.POSITIVE_INFINITY;
    const { stdout } = world;
    const json = format === 'json' ? new JsonArray((text) => stdout.write(text)) : undefined;
    const table = new Table(columns, stdout);
    const show: Show = (found) => {
      if (json !== undefined) json.add(found.map(eventJson));
      else if (format === 'jsonl') stdout.write(found.map((event) => `${JSON.stringify(eventJson(event))}\n`).join(''));
      else if (found.length > 0) stdout.write(table.render(found));
    };
    if (follow) return followEvents(world, query, limit, show);
    await pages(await world.connect(), query, limit, show);
    json?.end();
    return 0;
  },
});

function refOf(text: string): string {
  const { ref, index } = readRef('events', text);
  if (index === undefined) return ref;
  return /^\d+$/.test(index) ? `${ref}_${index}` : `${ref}_[${index}]`;
}

async function pages(client: Client, query: { ref?: string; after: number }, limit: number, show: Show): Promise<void> {
  let left = limit;
  let after: number | undefined = query.after;
  while (left > 0 && after !== undefined) {
    const page: { events: EventView[]; next?: number | undefined } = await client.events({
      ...query,
      after,
      limit: Math.min(left, MAX_PAGE),
    });
    show(page.events);
    left -= page.events.length;
    after = page.next;
  }
}

function followEvents(
  world: World,
  query: { ref?: string; after: number },
  limit: number,
  show: Show,
): Promise<number> {
  return untilInterrupted(world, undefined, async (signal) => {
    const client = await world.connect();
    let left = limit;
    for await (const event of client.watchEvents(query, { signal })) {
      show([event]);
      left -= 1;
      if (left <= 0) return 0;
    }
    return 0;
  });
}
