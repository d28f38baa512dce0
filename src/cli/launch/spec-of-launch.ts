import type { InstanceSpec } from '../../api/instance.ts';
import type { JobSpecInput, RunSpec } from '../../api/job-spec.ts';
import { SpawnError } from '../../core/errors.ts';
import { type LaunchPlan, planLaunch } from '../../core/instance-plan.ts';
import type { LaunchPlace } from '../../core/launch-spec.ts';
import { type SpecPart, specOf } from '../submit/spec-of.ts';
import { variablesOf } from '../submit/variables.ts';
import { readDirectory } from '../submit-input.ts';
import type { World } from '../world.ts';
import { namePlanFault } from './name-option.ts';
import type { Given } from './options.ts';
import { launchPlace, placeOf } from './place.ts';
import type { Launch } from './read-launch.ts';
import { readUserData } from './user-data.ts';

type InstancePart = NonNullable<JobSpecInput['instances']>;

/** All that is needed to submit a launch; the script for the first start is still here and not with the coordinator. */
export interface LaunchSpecs {
  readonly spec: Omit<JobSpecInput, 'run' | 'instances'>;
  readonly run: RunSpec;
  readonly instances: InstancePart;
  readonly userData: Uint8Array | undefined;
  /** The same that the coordinator will make, but for what only it knows: capacity elsewhere, and the end of DNS names. */
  readonly plan: LaunchPlan;
}

/** What is said of the instances. What is not said is decided by the API's defaults. */
function instancesOf({ given, names, standalone, params }: Launch): InstancePart {
  const { region, zone } = placeOf(given);
  const said = {
    provider: given.provider,
    type: given['instance-type'],
    region,
    zone,
    names: names.template,
    standalone,
    ttlMs: given.ttl,
    ttlMode: given['ttl-mode'],
    idleTimeoutMs: given['idle-timeout'],
    idleCpuPercent: given['idle-cpu'],
    onIdle: given['on-idle'] ?? (given.hibernate ? 'hibernate' : undefined),
    onComplete: given['on-complete'],
    preStop: given['pre-stop'],
    preStopTimeoutMs: given['pre-stop-timeout'],
    spot: given.spot || undefined,
    spotMaxPrice: given['spot-max-price'],
    dns: given.dns,
    tags: given.tag.length === 0 ? undefined : Object.fromEntries(given.tag),
    minViable: given['min-viable'],
    onFailure: given['on-failure'],
    failAllOnOne: given['fail-all-on-one'] || undefined,
    launchDelayMs: given['launch-delay'],
    costLimit: given['cost-limit'],
    replacements: given.replacements,
    strict: given.strict || undefined,
    params,
  };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)) as InstancePart;
}

/**
 * Reads and checks all of a launch, and plans it. Nothing is asked of a coordinator.
 * @throws SpawnError that names the flag
 */
export async function specsOf(launch: Launch, world: World): Promise<LaunchSpecs> {
  const { given, names, indices, standalone, argv } = launch;
  const array = standalone ? undefined : { set: indices };
  const throttle = given['max-concurrent'] ?? given.array?.throttle;
  const timeLimit = given['time-limit'] ?? given.time;
  const base = throttle === undefined ? {} : { throttle };
  const spec = specOf({ ...given, name: names.array, array, 'time-limit': timeLimit }, base, 'launch');
  const instances = instancesOf(launch);
  const run = runOf(given, argv);
  const place = launchPlace(placeOf(given), world.env);
  const plan = await planOf(launch, { ...instances }, { ...spec, run }, place);
  const [userData, cwd] = [
    await readUserData(given, world),
    readDirectory(given.cwd ?? '.', given.cwd === undefined ? 'working directory' : '--cwd', world),
  ];
  return {
    spec: {
      ...spec,
      ...(given['log-cap'] === undefined ? {} : { logCapBytes: given['log-cap'] }),
      env: checkedVariables(variablesOf(given, world, 'launch'), launch.params),
      cwd,
      umask: world.umask,
      user: world.userName(),
    },
    run,
    instances,
    userData,
    plan,
  };
}

/** A parameter has its variable for itself: which of the two is meant nobody could tell. */
function checkedVariables(
  variables: Readonly<Record<string, string>>,
  params: Launch['params'],
): Record<string, string> {
  for (const name of Object.keys(variables)) {
    const param = /^PARAM_(.+)$/.exec(name)?.[1];
    if (param === undefined || !params?.some((row) => Object.hasOwn(row, param))) continue;
    const expected = `another variable, as parameter ${param} is in ${name}`;
    throw new SpawnError('BAD_REQUEST', { where: '--env', expected, found: name });
  }
  return { ...variables };
}

function runOf(given: Given, argv: readonly string[] | undefined): RunSpec {
  if (argv !== undefined) return { kind: 'argv', argv: [...argv] };
  return given.command === undefined ? { kind: 'signal' } : { kind: 'shell', text: given.command };
}

async function planOf(
  { names, indices }: Launch,
  part: InstancePart,
  spec: SpecPart & { readonly run: RunSpec },
  place: LaunchPlace,
): Promise<LaunchPlan> {
  // Loaded here only: the contract is slow to load, and a wrong flag is told without it.
  const { InstanceSpec: contract } = await import('../../api/instance.ts');
  const instances: InstanceSpec = contract.parse(part);
  try {
    const { throttle = 0, canary = 0, retries = 0, run } = spec;
    return planLaunch({ name: names.array, throttle, canary, retries, run, instances }, indices, place);
  } catch (error) {
    throw error instanceof SpawnError ? namePlanFault(error, names.from) : error;
  }
}
