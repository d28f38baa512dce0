import { defineCommand } from '../command.ts';
import { jobPages } from '../job-pages.ts';
import { jobColumns } from '../output/job-columns.ts';
import { JsonArray, jobJson } from '../output/json.ts';
import { Table } from '../output/table.ts';
import { jsonOption } from '../output-option.ts';

export const jobs = defineCommand({
  usage: ['jobs [options]'],
  about:
    'Lists the jobs that have not ended, or all with --all, newest first. Through a pipe: one line a job, tab-separated,\n' +
    'without a header: number, name, state, tasks, completed, running, failed, time of submission, command.',
  options: {
    all: { summary: 'Also those that have ended', short: 'a' },
    name: { value: 'NAME', summary: 'Only jobs of this name' },
    format: jsonOption,
  },
  operands: { name: 'argument', min: 0, max: 0 },
  examples: [
    { line: 'spawn jobs', says: 'what runs and what waits' },
    { line: 'spawn jobs --all -o json', says: 'everything, for a program' },
  ],
  run: async ({ options }, world) => {
    const client = await world.connect();
    const { stdout } = world;
    const query = {
      show: options.all ? ('all' as const) : ('live' as const),
      ...(options.name === undefined ? {} : { name: options.name }),
    };
    const json = options.format === 'json' ? new JsonArray((text) => stdout.write(text)) : undefined;
    const table = new Table(jobColumns(world.now()), stdout);
    let found = 0;
    for await (const page of jobPages(client, query)) {
      found += page.length;
      if (json !== undefined) json.add(page.map(jobJson));
      else if (page.length > 0) stdout.write(table.render(page));
    }
    json?.end();
    if (found === 0 && json === undefined && stdout.isTTY) {
      stdout.write(
        options.all || options.name !== undefined
          ? 'no job\n'
          : 'no live job (spawn jobs --all shows those that ended)\n',
      );
    }
    return 0;
  },
});
