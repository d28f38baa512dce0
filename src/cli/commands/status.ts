import type { TaskView } from '../../api/job.ts';
import { SpawnError } from '../../core/errors.ts';
import type { Client } from '../client.ts';
import { defineCommand } from '../command.ts';
import { memberOf } from '../instances/member-of.ts';
import { allInstances } from '../instances/pages.ts';
import { summaryJson } from '../output/insight-json.ts';
import { instanceJson } from '../output/instance-json.ts';
import { arrayLines, instanceSheet } from '../output/instance-sheet.ts';
import { jsonText, serverJson, taskJson, taskWithParams } from '../output/json.ts';
import { serverStatus, taskStatus } from '../output/status-text.ts';
import { summaryText } from '../output/summary-text.ts';
import { jsonOption } from '../output-option.ts';
import { readRef } from '../refs.ts';
import type { World } from '../world.ts';

const LIVE_SHOWN = 10;

export const status = defineCommand({
  usage: ['status [options] [JOB|TASK]'],
  about:
    'Tells how a job is doing: its tasks by state, rate and time left, what failed grouped by cause, what takes longest;\n' +
    'of an array of instances also those, what they cost and how long they live; or one task, or one instance with its\n' +
    'task; or, without a name, the coordinator and the jobs that have not ended.',
  options: { format: jsonOption },
  operands: { name: 'JOB|TASK', min: 0, max: 1 },
  examples: [
    { line: 'spawn status', says: 'the coordinator and what is live' },
    { line: 'spawn status 12', says: 'one job' },
    { line: 'spawn status compute-3', says: 'one instance' },
    { line: 'spawn status 12_7 -o json', says: 'one task, for a program' },
  ],
  run: async ({ options, operands }, world) => {
    const json = options.format === 'json';
    const [text] = operands;
    if (text === undefined) return overall(world, json);
    const { ref, index } = readRef('status', text);
    const client = await world.connect();
    if (index !== undefined) {
      const { tasks } = await client.tasks(ref, { index, limit: 2 });
      const [task, another] = tasks;
      if (task === undefined) throw new SpawnError('TASK_NOT_FOUND', { ref: text });
      if (another !== undefined) {
        throw new SpawnError('USAGE', {
          message: `status: expected one task, found several; see: spawn tasks ${JSON.stringify(text)}`,
        });
      }
      return say(world, json ? jsonText(taskWithParams(task)) : taskStatus(task, world.stdout.colour));
    }
    const summary = await client.summary(ref);
    const { job } = summary;
    const member = await memberOf(client, ref, job);
    if (member !== undefined) return instance(world, client, ref, member, json);
    const instances = job.instances ? await allInstances(client, { arrayId: job.arrayId }) : undefined;
    if (json) return say(world, jsonText(summaryJson(summary, instances)));
    const { colour, columns } = world.stdout;
    const style = { now: world.now(), colour, columns };
    const box = instances?.findLast(({ standalone }) => standalone);
    if (box !== undefined) return say(world, instanceSheet(box, colour) + summaryText(summary, style, []));
    return say(world, summaryText(summary, style, arrayLines(instances ?? [])));
  },
});

/** A member of an array, and its task. A name that several machines had means the last. */
async function instance(world: World, client: Client, ref: string, task: TaskView, json: boolean): Promise<number> {
  const named = await allInstances(client, { instance: ref });
  // Another one may have had its name before, in another job.
  const view = named.findLast(({ jobId, index }) => jobId === task.jobId && index === task.index);
  if (json) return say(world, jsonText({ ...(view && instanceJson(view)), ...taskFields(task) }));
  const { colour } = world.stdout;
  return say(world, `${view === undefined ? '' : instanceSheet(view, colour)}${taskStatus(task, colour)}`);
}

/** Of the task: its names in another object begin with `task_`. */
function taskFields(task: TaskView): object {
  const { id, state, ...fields } = taskJson(task);
  const named = Object.entries(fields).map(([key, value]) => [`task_${key}`, value]);
  return { task: id, task_state: state, ...Object.fromEntries(named) };
}

async function overall(world: World, json: boolean): Promise<number> {
  const client = await world.connect();
  const [server, { jobs }] = await Promise.all([client.server(), client.jobs({ limit: LIVE_SHOWN })]);
  return say(world, json ? jsonText(serverJson(server)) : serverStatus(server, jobs, world.now(), world.stdout.colour));
}

function say(world: World, text: string): number {
  world.stdout.write(text);
  return 0;
}
