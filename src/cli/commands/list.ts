import type { JobView } from '../../api/job.ts';
import { defineCommand } from '../command.ts';
import { jobPages } from '../job-pages.ts';
import { colourOfState } from '../output/color.ts';
import { isoTime, shownCount, shownDuration } from '../output/format.ts';
import { JsonArray, jobJson } from '../output/json.ts';
import { type Column, Table } from '../output/table.ts';
import { jsonOption } from '../output-option.ts';

function columns(now: number): readonly Column<JobView>[] {
  const count = (title: string, of: (job: JobView) => number): Column<JobView> => ({
    title,
    right: true,
    value: (job) => shownCount(of(job)),
    plain: (job) => String(of(job)),
  });
  return [
    { title: 'JOB', right: true, value: (job) => String(job.id) },
    { title: 'NAME', value: (job) => job.name },
    { title: 'STATE', value: (job) => job.state, colour: (job) => colourOfState(job.state) },
    count('TASKS', (job) => job.size),
    count('DONE', (job) => job.counts.completed),
    count('RUNNING', (job) => job.counts.running),
    count('FAILED', (job) => job.counts.failed),
    {
      title: 'AGE',
      right: true,
      value: (job) => shownDuration(now - job.createdAt),
      plain: (job) => isoTime(job.createdAt) ?? '',
    },
    { title: 'COMMAND', value: (job) => job.command },
  ];
}

export const list = defineCommand({
  usage: ['list [options]'],
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
    { line: 'spawn list', says: 'what runs and what waits' },
    { line: 'spawn list --all -o json', says: 'everything, for a program' },
  ],
  run: async ({ options }, world) => {
    const client = await world.connect();
    const { stdout } = world;
    const query = {
      show: options.all ? ('all' as const) : ('live' as const),
      ...(options.name === undefined ? {} : { name: options.name }),
    };
    const json = options.format === 'json' ? new JsonArray((text) => stdout.write(text)) : undefined;
    const table = new Table(columns(world.now()), stdout);
    let found = 0;
    for await (const jobs of jobPages(client, query)) {
      found += jobs.length;
      if (json !== undefined) json.add(jobs.map(jobJson));
      else if (jobs.length > 0) stdout.write(table.render(jobs));
    }
    json?.end();
    if (found === 0 && json === undefined && stdout.isTTY) {
      stdout.write(
        options.all || options.name !== undefined
          ? 'no job\n'
          : 'no live job (spawn list --all shows those that ended)\n',
      );
    }
    return 0;
  },
});
