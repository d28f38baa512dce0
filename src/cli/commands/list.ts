import type { InstancesQueryInput } from '../../api/instance.ts';
import { SpawnError } from '../../core/errors.ts';
import type { Client } from '../client.ts';
import { defineCommand } from '../command.ts';
import { listOptions, queryOf } from '../instances/filters.ts';
import { instancePages } from '../instances/pages.ts';
import { counted } from '../output/format.ts';
import { instanceJson } from '../output/instance-json.ts';
import { INSTANCE_COLUMNS, InstanceList } from '../output/instance-list.ts';
import { JsonArray } from '../output/json.ts';
import { Table } from '../output/table.ts';
import { jsonOption } from '../output-option.ts';
import type { World } from '../world.ts';

/** Live jobs looked at, to tell how many are no instances. */
const MOST_JOBS = 1_000;

export const list = defineCommand({
  usage: ['list [options]'],
  about:
    'Lists instances: on a terminal by array, with those that are no array at the end. Terminated ones stay for a week;\n' +
    'without filters they come last, and long lists are folded.\n' +
    'Through a pipe: one line an instance, tab-separated, without a header: name, id, type, state, zone, address, region,\n' +
    'array name, array id, index, spot or on-demand, reason of its end; nothing at all when none fits.',
  options: {
    ...listOptions,
    json: { summary: 'The same as -o json' },
    format: jsonOption,
  },
  operands: { name: 'argument', min: 0, max: 1 },
  examples: [
    { line: 'spawn list', says: 'all instances, by array' },
    { line: 'spawn list --job-array-name compute --state running | wc -l', says: 'how many run' },
    { line: "spawn list --job-array-name compute -o json | jq -r '.[0].job_array_id'", says: 'the id of an array' },
  ],
  run: async ({ options, operands }, world) => {
    const [name] = operands;
    if (name !== undefined) {
      const [array, instance] = [`--job-array-name ${name}`, `--name ${name}`];
      const message = `list: expected options only, found ${JSON.stringify(name)}; an array is ${array}, an instance ${instance}`;
      throw new SpawnError('USAGE', { message });
    }
    const query = queryOf(options);
    const client = await world.connect();
    const { stdout } = world;
    const write = (text: string): void => stdout.write(text);
    if (options.format === 'json' || options.json) {
      const json = new JsonArray(write);
      for await (const page of instancePages(client, query)) json.add(page.map(instanceJson));
      json.end();
      return 0;
    }
    if (!stdout.isTTY) {
      const table = new Table(INSTANCE_COLUMNS, stdout);
      for await (const page of instancePages(client, query)) if (page.length > 0) write(table.render(page));
      return 0;
    }
    await showGroups(world, client, query);
    return 0;
  },
});

async function showGroups(world: World, client: Client, query: InstancesQueryInput): Promise<void> {
  const { stdout } = world;
  const filtered = Object.keys(query).length > 0;
  const list = new InstanceList((text) => stdout.write(text), stdout.colour, filtered ? undefined : stdout);
  const jobs = new Set<number>();
  for await (const page of instancePages(client, query)) {
    for (const { jobId } of page) jobs.add(jobId);
    list.add(page);
  }
  list.end();
  if (filtered) {
    if (jobs.size === 0) stdout.write('no instance fits\n');
    return;
  }
  const others = await otherJobs(client, jobs);
  if (jobs.size === 0) stdout.write(`no instance${others === undefined ? ' and no live job' : ''}\n`);
  if (others !== undefined) stdout.write(`${others} on workers: spawn jobs\n`);
}

/** `3 jobs`: those that have not ended and run on workers, not in instances of their own. */
async function otherJobs(client: Client, listed: ReadonlySet<number>): Promise<string | undefined> {
  const { jobs, next } = await client.jobs({ show: 'live', limit: MOST_JOBS });
  const others = jobs.filter(({ id, instances }) => !instances && !listed.has(id)).length;
  if (others === 0) return undefined;
  return next === undefined ? counted(others, 'job') : `more than ${counted(others, 'job')}`;
}
