import type { WorkflowRequestInput, WorkflowView } from '../../api/workflow.ts';
import { SpawnError } from '../../core/errors.ts';
import { numberAfter } from '../after-names.ts';
import type { Client } from '../client.ts';
import { counted } from '../output/format.ts';
import { jobJson, jsonText } from '../output/json.ts';
import type { Given, SubmitInput } from '../submit/options.ts';
import { completeSpec } from '../submit/submit-job.ts';
import { readDirectory } from '../submit-input.ts';
import { untilInterrupted } from '../wait-for-job.ts';
import { waitForWorkflow } from '../wait-for-workflow.ts';
import type { World } from '../world.ts';
import type { SubmittedFile } from './given-file.ts';
import { placeJob } from './to-spec.ts';

/** Options that speak of the submit, and not of one job. */
const OF_THE_SUBMIT: readonly string[] = ['param', 'idempotency-key', 'wait', 'quiet', 'dry-run', 'format'];

/** Submits the stages of a file together. @param foreground the jobs end with the command */
export async function submitWorkflow(
  verb: string,
  { options: given }: SubmitInput,
  file: SubmittedFile,
  world: World,
  foreground: boolean,
): Promise<number> {
  checkOptions(verb, given);
  const { compiled } = file;
  const client = await world.connect();
  const jobs: WorkflowRequestInput['jobs'] = [];
  for (const job of compiled.jobs) {
    const placed = placeJob(job, file);
    const cwd = readDirectory(placed.spec.cwd!, `${file.path}: advanced.stages.${job.key}.algorithm.cwd`, world);
    const part = { umask: world.umask, ...placed.spec, cwd, env: placed.spec.env ?? {}, user: world.userName() };
    const after = part.after === undefined ? {} : { after: await numberAfter(client, part.after) };
    const spec = await completeSpec(client, placed.work, { ...part, ...after }, placed, world);
    jobs.push({ key: job.key, spec, ...(job.onFailure === undefined ? {} : { onFailure: job.onFailure }) });
  }
  const { name } = compiled;
  const idempotencyKey = given['idempotency-key'];
  const { workflow, replayed, dryRun } = await client.submitWorkflow({
    ...(name === undefined ? {} : { name }),
    jobs,
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    dryRun: given['dry-run'],
  });
  const waits = (given.wait || foreground) && !dryRun;
  if (given.format === undefined) {
    const text = announcement(
      workflow,
      compiled.jobs.map(({ key }) => key),
      replayed,
      dryRun,
    );
    if (!given.quiet) world.stdout.write(`${text}\n`);
    else if (!dryRun) world.stdout.write(`${workflow.id}\n`);
  } else if (!waits) world.stdout.write(jsonText(workflowJson(workflow, { replayed, dry_run: dryRun })));
  return waits ? awaitAll(workflow, given, client, world, foreground) : 0;
}

function checkOptions(verb: string, given: Given): void {
  for (const [name, value] of Object.entries(given)) {
    const isSaid = Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
    if (!isSaid || OF_THE_SUBMIT.includes(name)) continue;
    throw new SpawnError('USAGE', {
      message: `${verb}: --${name}: expected it in the stages of the file, found it here`,
    });
  }
  if (given['dry-run'] && given.wait) {
    throw new SpawnError('USAGE', { message: `${verb}: expected --dry-run or --wait, found both` });
  }
}

function announcement(
  { id, jobs, name }: WorkflowView,
  keys: readonly string[],
  replayed: boolean,
  dryRun: boolean,
): string {
  const called = name === undefined ? '' : ` ${name}`;
  if (dryRun) return `Would submit workflow${called}: ${counted(keys.length, 'job')} (${keys.join(', ')})`;
  const before = replayed ? ' (before, with this key)' : '';
  const list = jobs.map((job) => `${job.id} ${job.name}`).join(', ');
  return `Submitted workflow ${id}${before}${called}: ${counted(jobs.length, 'job')} (${list})`;
}

function workflowJson(workflow: WorkflowView, more: object): object {
  const { id, name, state, exitCode, jobs } = workflow;
  return { id, name: name ?? null, state, exit_code: exitCode ?? null, jobs: jobs.map(jobJson), ...more };
}

async function awaitAll(
  workflow: WorkflowView,
  given: Given,
  client: Client,
  world: World,
  foreground: boolean,
): Promise<number> {
  const { id } = workflow;
  const goesOn = `spawn: workflow ${id} goes on; spawn wait --workflow ${id} waits again`;
  let isStopped = false;
  const code = await untilInterrupted(world, foreground ? undefined : goesOn, async (signal) => {
    signal.addEventListener('abort', () => {
      isStopped = true;
    });
    const last = await waitForWorkflow(world, workflow, { quiet: given.quiet, signal });
    if (last === undefined) return undefined;
    if (given.format === 'json') world.stdout.write(jsonText(workflowJson(last, {})));
    return last.exitCode;
  });
  if (isStopped && foreground) {
    await client.workflowVerb('cancel', String(id));
    world.stderr.write(`spawn: workflow ${id} was cancelled\n`);
  }
  return code;
}
