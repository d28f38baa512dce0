import type { InstanceView } from '../../api/instance.ts';
import type { JobView, SubmitReply } from '../../api/job.ts';
import type { JobSpecInput } from '../../api/job-spec.ts';
import { ERRORS } from '../../core/error-table.ts';
import { shownUsd } from '../../core/instance-cost.ts';
import { numberAfter } from '../after-names.ts';
import type { Client } from '../client.ts';
import { confirmed } from '../instances/confirm.ts';
import { counted } from '../output/format.ts';
import { instanceJson } from '../output/instance-json.ts';
import { jsonText } from '../output/json.ts';
import { untilInterrupted, waitForJob } from '../wait-for-job.ts';
import type { World } from '../world.ts';
import { awaitRunning, instancesOfJob } from './await-running.ts';
import { launchOutcome } from './launch-outcome.ts';
import { LaunchProgress } from './launch-progress.ts';
import { nameServerFault } from './name-option.ts';
import { neverLaunched } from './never-launched.ts';
import type { LaunchInput } from './options.ts';
import { planJson } from './plan-json.ts';
import { planText } from './plan-text.ts';
import { isPutOff } from './put-off.ts';
import { type Launch, readLaunch } from './read-launch.ts';
import { sandboxNote } from './sandbox-note.ts';
import { type LaunchSpecs, specsOf } from './spec-of-launch.ts';
import { summaryText } from './summary-text.ts';

/** A launch of more instances is asked about where somebody can answer. */
const MOST_UNASKED = 100;
/** A task is known to run a moment before its instance says so; ids are there a moment after the launch. A tenth of a second each. */
const LOOKS_WHEN_UP = 30;
const LOOKS_AT_IDS = 10;

/** Reads, plans and submits a launch, shows how it comes up, and sums up. @returns the exit code */
export async function runLaunch(input: LaunchInput, world: World, chance: () => number = Math.random): Promise<number> {
  const launch = await readLaunch(input, world, chance);
  const { given } = launch;
  const specs = await specsOf(launch, world);
  const notes = notesOf(launch, specs, world);
  const json = given.format === 'json' || given.json;
  if (given['dry-run']) {
    await submit(launch, specs, world, true);
    world.stdout.write(json ? jsonText(planJson(specs, launch.params, notes)) : planText(specs, notes));
    return 0;
  }
  if (!given.quiet) for (const note of notes) world.stderr.write(`spawn: note: ${note}\n`);
  if (!(await mayLaunch(given.yes, specs, world))) return 1;
  const { job, replayed } = await submit(launch, specs, world, false);
  if (given.quiet) world.stdout.write(`${job.arrayId}\n`);
  else if (replayed) world.stderr.write(`spawn: note: ${job.name} was launched before, with this key\n`);
  return untilInterrupted(world, advice(job, specs), (signal) => follow(launch, specs, job, world, json, signal));
}

/** What a person should know, in order: of files, of the plan, of this machine. `--no-timeout` says that there shall be none. */
function notesOf({ given, notes }: Launch, { plan }: LaunchSpecs, { env }: World): readonly string[] {
  const apart = sandboxNote(env);
  const planned = plan.notes.filter(({ kind }) => kind !== 'no-ttl' || !given['no-timeout']);
  return [...notes, ...planned.map(({ text }) => text), ...(apart === undefined ? [] : [apart])];
}

async function mayLaunch(yes: boolean, { plan }: LaunchSpecs, world: World): Promise<boolean> {
  if (yes || plan.size <= MOST_UNASKED || !world.stdin.isTTY) return true;
  const cost = `${shownUsd(plan.size * plan.rate)} an hour`;
  return confirmed(world, 'launch', `Launch ${plan.size} instances of ${plan.type.name}, ${cost}?`);
}

async function submit(
  { given, names }: Launch,
  specs: LaunchSpecs,
  world: World,
  dryRun: boolean,
): Promise<SubmitReply> {
  const client = await world.connect();
  const { run, spec: part } = specs;
  const instances = { ...specs.instances, ...(await storedUserData(client, specs)) };
  const after = part.after === undefined ? {} : { after: await numberAfter(client, part.after) };
  const spec: JobSpecInput = { ...part, ...after, run, instances } as JobSpecInput;
  const key = given['idempotency-key'];
  const request = { spec, ...(key === undefined ? {} : { idempotencyKey: key }), dryRun };
  return client.submit(request).catch((error: unknown) => {
    throw nameServerFault(error, names.from);
  });
}

/** Stored by its hash, so that an array of thousands carries it once. */
async function storedUserData(client: Client, { userData }: LaunchSpecs): Promise<{ userData?: string }> {
  return userData === undefined ? {} : { userData: (await client.putBlob('script', userData)).hash };
}

function advice(job: JobView, { plan }: LaunchSpecs): string {
  const what = plan.standalone ? plan.member(0).name : `array ${job.name}`;
  const which = plan.standalone ? plan.member(0).name : `--job-array-id ${job.arrayId}`;
  // Where no instance has been started yet there is none to terminate.
  const end = isPutOff(job) ? `cancel ${job.id}` : `terminate ${which}`;
  return `spawn: ${what} goes on; spawn watch ${job.id} shows it, spawn ${end} ends it`;
}

async function follow(
  launch: Launch,
  specs: LaunchSpecs,
  job: JobView,
  world: World,
  json: boolean,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { given } = launch;
  const waits = given.wait || given.follow;
  const comesUp = waitsForRunning(launch, job, world);
  const expected = isPutOff(job) ? 0 : atOnce(specs);
  if (comesUp && !(await showComingUp(launch, specs, job, world, signal))) return undefined;
  const looks = comesUp ? LOOKS_WHEN_UP : given.detach ? 1 : LOOKS_AT_IDS;
  const instances = await instancesOfJob(world, job, { looks, expected }, signal);
  const never = await neverLaunched(world, job, instances, expected, signal);
  if (signal.aborted) return undefined;
  const ttlMs = specs.instances.ttlMs ?? 0;
  if (!json && !given.quiet) {
    const { stdout, stderr } = world;
    const sink = given.follow ? stderr : stdout;
    sink.write(summaryText({ job, plan: specs.plan, ttlMs, instances, never: never?.why }, sink));
  }
  const viable = given['min-viable'] ?? specs.plan.size;
  const { failed, message } = launchOutcome(job.name, specs.plan.size, viable, instances, never);
  if (message !== undefined) world.stderr.write(`spawn: ${message}\n`);
  if (!waits || failed) {
    if (json) printJson(instances, world);
    return failed ? ERRORS.LAUNCH_FAILED.exit : 0;
  }
  const ended = await waitForJob(world, job, { quiet: given.quiet, follow: given.follow, progress: true, signal });
  if (ended === undefined) return undefined;
  const last = await instancesOfJob(world, job, { looks: 1, expected: 0 }, signal);
  if (json) printJson(last, world);
  const left = last.filter(({ state }) => state === 'running').length;
  if (left > 0 && !given.quiet && (specs.instances.onComplete ?? 'none') === 'none') {
    const end = `spawn terminate ${specs.plan.standalone ? specs.plan.member(0).name : `--job-array-id ${job.arrayId}`}`;
    const runOn = `${counted(left, 'instance')} ${left === 1 ? 'runs' : 'run'} on`;
    world.stderr.write(`spawn: note: ${runOn}: ${end} ends that; --on-complete terminate does so by itself\n`);
  }
  return ended.exitCode;
}

/** By default where somebody watches; not when the start is put off, because that may take days. */
function waitsForRunning({ given }: Launch, job: JobView, world: World): boolean {
  if (given.detach) return false;
  if (given['wait-for-running']) return true;
  return (world.stderr.isTTY || given.wait || given.follow) && !isPutOff(job);
}

/** Members that are to come up without one ending before. */
function atOnce({ plan, spec }: LaunchSpecs): number {
  return Math.min(plan.size, spec.throttle || plan.size, spec.canary || plan.size);
}

async function showComingUp(
  launch: Launch,
  specs: LaunchSpecs,
  job: JobView,
  world: World,
  signal: AbortSignal,
): Promise<boolean> {
  const progress = launch.given.quiet ? undefined : new LaunchProgress(world, job.name, specs.plan.size);
  try {
    return await awaitRunning(world, job, atOnce(specs), signal, (delta) => progress?.update(delta));
  } finally {
    progress?.end();
  }
}

function printJson(instances: readonly InstanceView[], world: World): void {
  world.stdout.write(jsonText(instances.map(instanceJson)));
}
