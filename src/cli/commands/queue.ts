import { resolve } from 'node:path';
import type { WorkflowView } from '../../api/workflow.ts';
import { SpawnError } from '../../core/errors.ts';
import { defineCommand } from '../command.ts';
import { nonEmpty } from '../option-values.ts';
import { counted } from '../output/format.ts';
import { jobJson, jsonText } from '../output/json.ts';
import { jsonOption } from '../output-option.ts';
import { isOwnVariable } from '../own-variables.ts';
import { seeHelp } from '../parse-command-line.ts';
import { queueJobs } from '../queue/queue-jobs.ts';
import { untilInterrupted } from '../wait-for-job.ts';
import { waitForWorkflow } from '../wait-for-workflow.ts';

export const queue = defineCommand({
  usage: ['queue run FILE [options]'],
  about:
    'Runs the jobs of a file, each as soon as all that it depends on has completed, and waits for their end. Dependents of a\n' +
    'job that fails are skipped; with on_failure: stop nothing more starts then. The exit code is the highest of the jobs.\n' +
    'The jobs are a workflow: they go on when this command ends.',
  options: {
    results: {
      value: 'DIR',
      summary: 'Directory that result_paths go to (default: that of the file, else results beside it)',
      parse: nonEmpty('a directory'),
    },
    detach: { summary: 'Do not wait for the end' },
    'idempotency-key': {
      value: 'KEY',
      summary: 'Submit once only, however often this is repeated',
      parse: nonEmpty('a key'),
    },
    quiet: { short: 'q', summary: 'Print the number of the workflow only' },
    'dry-run': { summary: 'Check everything, submit nothing' },
    format: jsonOption,
  },
  operands: { name: 'run FILE', min: 1, max: 2 },
  examples: [
    { line: 'spawn queue run pipeline.yaml', says: 'until all has ended' },
    {
      line: 'spawn queue run pipeline.yaml --detach',
      says: 'go on without a terminal; spawn graph shows how far it is',
    },
  ],
  run: async ({ options: given, operands: [verb, path] }, world) => {
    if (verb !== 'run') {
      throw new SpawnError('USAGE', {
        message: `queue: expected run, found ${JSON.stringify(verb)}${seeHelp('queue')}`,
      });
    }
    if (path === undefined)
      throw new SpawnError('USAGE', { message: `queue: expected FILE, found nothing${seeHelp('queue')}` });
    if (given.quiet && given.format)
      throw new SpawnError('USAGE', { message: 'queue: expected --quiet or -o json, found both' });
    // Loaded here only: YAML and the contract are slow to load.
    const { readTextFile } = await import('../../config/text-document.ts');
    const { readQueueFile } = await import('../../config/queue-file.ts');
    const text = readTextFile('queue run', path, resolve(world.cwd, path));
    const refused = (name: string) =>
      isOwnVariable(name) ? 'a variable that spawn does not set for each task' : undefined;
    const file = readQueueFile(path, text, refused);
    const client = await world.connect();
    const results = given.results === undefined ? undefined : resolve(world.cwd, given.results);
    const jobs = await queueJobs(client, file, { path, results }, world);
    const key = given['idempotency-key'];
    const { workflow, replayed, dryRun } = await client.submitWorkflow({
      ...(file.name === undefined ? {} : { name: file.name }),
      jobs,
      ...(key === undefined ? {} : { idempotencyKey: key }),
      dryRun: given['dry-run'],
    });
    const isLast = dryRun || given.detach;
    if (given.quiet) world.stdout.write(dryRun ? '' : `${workflow.id}\n`);
    else if (given.format === undefined) world.stdout.write(`${announcement(workflow, replayed, dryRun)}\n`);
    if (isLast) {
      if (given.format === 'json') world.stdout.write(jsonText({ ...queueJson(workflow), replayed, dry_run: dryRun }));
      return 0;
    }
    const { id } = workflow;
    const advice = `spawn: workflow ${id} goes on; spawn wait --workflow ${id} waits again, spawn cancel --workflow ${id} ends it`;
    return untilInterrupted(world, advice, async (signal) => {
      const ended = await waitForWorkflow(world, workflow, { quiet: given.quiet, signal });
      if (ended !== undefined && given.format === 'json') world.stdout.write(jsonText(queueJson(ended)));
      return ended?.exitCode;
    });
  },
});

function announcement({ id, name, jobs }: WorkflowView, replayed: boolean, dryRun: boolean): string {
  const what = `${name === undefined ? '' : `${name}, `}${counted(jobs.length, 'job')}`;
  if (dryRun) return `Would submit ${what}`;
  return `Submitted workflow ${id}${replayed ? ' (before, with this key)' : ''}: ${what}`;
}

function queueJson({ id, name, state, exitCode, jobs }: WorkflowView): object {
  const all = jobs.map((job) => ({ key: job.workflow!.key, ...jobJson(job) }));
  return { id, name: name ?? null, state, exit_code: exitCode ?? null, jobs: all };
}
