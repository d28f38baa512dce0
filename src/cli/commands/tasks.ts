import type { TasksQueryInput, TaskView } from '../../api/job.ts';
import { MAX_PAGE } from '../../api/limits.ts';
import type { Client } from '../client.ts';
import { defineCommand } from '../command.ts';
import { wholeNumber } from '../option-values.ts';
import { colourOfState } from '../output/color.ts';
import { shownBytes, shownDuration } from '../output/format.ts';
import { JsonArray, taskWithParams } from '../output/json.ts';
import { type Column, Table } from '../output/table.ts';
import { linesOption } from '../output-option.ts';
import { indexOption, narrowed, readRef } from '../refs.ts';
import { stateOption } from '../selection.ts';

const duration = (ms: number | undefined) => (ms === undefined ? '-' : shownDuration(ms));
const plain = (value: number | undefined) => (value === undefined ? '' : String(Math.round(value)));

const columns: readonly Column<TaskView>[] = [
  { title: 'TASK', value: (task) => task.id },
  { title: 'STATE', value: (task) => task.state, colour: (task) => colourOfState(task.state) },
  { title: 'TRY', right: true, value: (task) => String(task.attempt) },
  { title: 'END', value: (task) => task.outcome ?? '-', plain: (task) => task.outcome ?? '' },
  { title: 'TIME', right: true, value: (task) => duration(task.wallMs), plain: (task) => plain(task.wallMs) },
  { title: 'CPU', leave: 1, right: true, value: (task) => duration(task.cpuMs), plain: (task) => plain(task.cpuMs) },
  {
    title: 'MEMORY',
    leave: 2,
    right: true,
    value: (task) => (task.maxRssBytes === undefined ? '-' : shownBytes(task.maxRssBytes)),
    plain: (task) => plain(task.maxRssBytes),
  },
  { title: 'WORKER', value: (task) => task.worker ?? '-', plain: (task) => task.worker ?? '' },
  { title: 'REASON', wrap: true, value: (task) => task.reason ?? '' },
];

/** Pages of tasks in index order, `limit` of them in all. */
async function* taskPages(client: Client, ref: string, query: TasksQueryInput, limit: number) {
  let left = limit;
  let after = -1;
  while (left > 0) {
    const page = await client.tasks(ref, { ...query, limit: Math.min(left, MAX_PAGE), after });
    yield page.tasks;
    left -= page.tasks.length;
    if (page.next === undefined) return;
    after = page.next;
  }
}

export const tasks = defineCommand({
  usage: ['tasks [options] JOB|TASK'],
  about:
    'Lists the tasks of a job in index order. Through a pipe: one line a task, tab-separated, without a header: id, state,\n' +
    'attempt, end, ms of wall time, ms of CPU, bytes of memory at the peak, worker, reason; empty where nothing is known.',
  options: {
    state: stateOption,
    index: indexOption,
    limit: { value: 'N', summary: 'At most N tasks', parse: wholeNumber(1, 1_000_000_000) },
    format: linesOption,
  },
  operands: { name: 'JOB|TASK', min: 1, max: 1 },
  examples: [
    { line: 'spawn tasks 12 --state failed', says: 'what failed, and how' },
    { line: 'spawn tasks 12 -o jsonl', says: 'every task, one object a line' },
  ],
  run: async ({ options, operands }, world) => {
    const { ref, index } = narrowed('tasks', readRef('tasks', operands[0]!), options.index);
    const query = { ...(options.state ? { state: options.state } : {}), ...(index === undefined ? {} : { index }) };
    const client = await world.connect();
    const { stdout } = world;
    const json = options.format === 'json' ? new JsonArray((text) => stdout.write(text)) : undefined;
    const table = new Table(columns, stdout);
    for await (const page of taskPages(client, ref, query, options.limit ?? Number.POSITIVE_INFINITY)) {
      if (json !== undefined) json.add(page.map(taskWithParams));
      else if (options.format === 'jsonl')
        stdout.write(page.map((task) => `${JSON.stringify(taskWithParams(task))}\n`).join(''));
      else if (page.length > 0) stdout.write(table.render(page));
    }
    json?.end();
    return 0;
  },
});
