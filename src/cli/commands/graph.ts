import { resolve } from 'node:path';
import { isSpawnError } from '../../core/errors.ts';
import { isJobName } from '../../core/ids.ts';
import type { Client } from '../client.ts';
import { defineCommand } from '../command.ts';
import { dotText } from '../graph/dot.ts';
import { drawGraph } from '../graph/draw.ts';
import { type Graph, graphOfJobs, graphOfKeys } from '../graph/model.ts';
import { compileGiven } from '../job-file/given-file.ts';
import { isJobFile, readGivenText } from '../job-file/read-file.ts';
import { jsonText } from '../output/json.ts';
import { readRef } from '../refs.ts';
import type { World } from '../world.ts';

export const graph = defineCommand({
  usage: ['graph [options] JOB|WORKFLOW', 'graph [options] FILE'],
  about:
    'Draws what waits for what: a job with all that it is tied to by dependencies, also through others, or a workflow, with\n' +
    'states; or what a job file or queue file would submit. Each job stands under all that it waits for. A line leads from a\n' +
    'job down to those that wait for it. Lines have the colour of their kind: green afterok, red afternotok, cyan aftercorr.',
  options: {
    format: {
      short: 'o',
      value: 'FORMAT',
      choices: ['dot', 'json'],
      summary: 'Print it for Graphviz, or as jobs and edges; formats',
    },
    ascii: { summary: 'Draw with plain characters' },
  },
  operands: { name: 'JOB|WORKFLOW|FILE', min: 1, max: 1 },
  examples: [
    { line: 'spawn graph 12', says: 'all that job 12 is tied to' },
    { line: 'spawn graph night', says: 'the workflow of that name' },
    { line: 'spawn graph pipeline.yaml -o dot | dot -Tsvg >pipeline.svg', says: 'a picture of a file' },
  ],
  run: async ({ options: given, operands: [operand = ''] }, world) => {
    const found = isJobFile(operand, world.cwd) ? await graphOfFile(operand, world) : await graphOf(operand, world);
    const { stdout } = world;
    if (given.format === 'dot') stdout.write(dotText(found));
    else if (given.format === 'json') stdout.write(jsonText(graphJson(found)));
    else {
      const width = stdout.isTTY ? stdout.columns : Number.POSITIVE_INFINITY;
      stdout.write(drawGraph(found, { colour: stdout.colour, width, ascii: given.ascii || isPlain(world.env) }));
    }
    return 0;
  },
});

async function graphOf(text: string, world: World): Promise<Graph> {
  const { ref } = readRef('graph', text);
  const client = await world.connect();
  const id = isJobName(ref) ? await idOf(client, ref) : ref;
  return graphOfJobs(await client.graph(id));
}

/** Of a workflow, else of a job. */
async function idOf(client: Client, name: string): Promise<string> {
  try {
    return String((await client.workflow(name)).id);
  } catch (error) {
    if (isSpawnError(error) && error.code === 'WORKFLOW_NOT_FOUND') return name;
    throw error;
  }
}

async function graphOfFile(path: string, world: World): Promise<Graph> {
  // Loaded here only: YAML and the contract are slow to load.
  const { readTextFile } = await import('../../config/text-document.ts');
  const { looksLikeQueue, readQueueFile } = await import('../../config/queue-file.ts');
  const absolute = resolve(world.cwd, path);
  const text = readTextFile('graph', path, absolute);
  if (looksLikeQueue(text)) {
    const { jobs } = readQueueFile(path, text);
    return graphOfKeys(
      jobs.map(({ id, depends_on: needs = [] }) => ({
        key: id,
        after: needs.length === 0 ? undefined : needs.map((need) => `afterok:@${need}`).join(),
      })),
    );
  }
  const { compiled } = await compileGiven(await readGivenText(path, text, world.cwd, world));
  return graphOfKeys(compiled.jobs.map(({ key, spec }) => ({ key, after: spec.after })));
}

function graphJson({ jobs, links, cut }: Graph): object {
  return {
    jobs: jobs.map(({ id, label, state, tasks, completed }) => ({
      id,
      label,
      state: state ?? null,
      tasks: tasks ?? null,
      completed: completed ?? null,
    })),
    edges: links.map(({ from, to, type, indices, any }) => ({
      from,
      to,
      type,
      indices: indices ?? null,
      any: any ?? false,
    })),
    cut,
  };
}

/** The locale says that the terminal knows no more. */
function isPlain(env: World['env']): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG;
  return locale === 'C' || locale === 'POSIX';
}
