import type { InstanceTarget, InstanceView } from '../../api/instance.ts';
import type { JobView } from '../../api/job.ts';
import { isDnsLabel } from '../../core/dns-label.ts';
import { isSpawnError, SpawnError } from '../../core/errors.ts';
import { parseJobRef } from '../../core/ids.ts';
import type { Client } from '../client.ts';
import type { Values } from '../command.ts';
import { seeHelp } from '../parse-command-line.ts';
import { targetOf, type targetOptions, targetText } from './filters.ts';
import { allInstances } from './pages.ts';

/** What was named, and the instances that are meant by it. */
export interface Found {
  readonly target: InstanceTarget;
  /** One instance by its name or id, not whatever fits a filter. A name may have had several machines. */
  readonly single: boolean;
  readonly members: readonly InstanceView[];
}

const ARRAY_ID = /-\d{8}-[0-9a-f]{6}$/;

/** Reads NAME|ID: of an instance, or the id of an array, which looks like nothing else. */
function readOperand(verb: string, text: string): InstanceTarget {
  if (isDnsLabel(text) && ARRAY_ID.test(text)) return { arrayId: text };
  if (isDnsLabel(text) && !/^\d+$/.test(text)) return { instance: text };
  const expected = 'the name or id of an instance, as compute-3, or the id of an array';
  throw new SpawnError('BAD_REQUEST', { where: verb, expected, found: text });
}

/** What a command line names: instances one by one, or filters; both, or neither, is refused. */
export function readTargets(
  verb: string,
  operands: readonly string[],
  given: Values<typeof targetOptions>,
): readonly InstanceTarget[] {
  const filters = targetOf(given);
  const forms = 'NAME|ID, --job-array-name, --job-array-id or --tag';
  if (filters === undefined && operands.length === 0) {
    throw new SpawnError('USAGE', { message: `${verb}: expected ${forms}, found nothing${seeHelp(verb)}` });
  }
  if (filters !== undefined && operands.length > 0) {
    const found = `${JSON.stringify(operands[0])} and ${targetText(filters)}`;
    throw new SpawnError('USAGE', { message: `${verb}: expected NAME|ID or filters, found ${found}` });
  }
  return filters === undefined ? [...new Set(operands)].map((operand) => readOperand(verb, operand)) : [filters];
}

/** The instances that a target means now. @throws INSTANCE_NOT_FOUND, with what else the name may be */
export async function findMembers(client: Client, target: InstanceTarget): Promise<Found> {
  const members = await instancesOf(client, target);
  const single = target.instance !== undefined;
  if (members.length > 0) return { target, single, members };
  throw new SpawnError('INSTANCE_NOT_FOUND', { ref: targetText(target), why: await whyNone(client, target) });
}

async function whyNone(
  client: Client,
  { instance, arrayId, arrayName, tag }: InstanceTarget,
): Promise<string | undefined> {
  if (instance !== undefined) {
    const isArray = (await instancesOf(client, { arrayName: instance })).length > 0;
    return isArray ? `it is an array, all of it is --job-array-name ${instance}` : undefined;
  }
  const ref = tag === undefined ? (arrayId ?? arrayName) : undefined;
  const job = ref === undefined ? undefined : await liveJob(client, ref);
  return job?.instances
    ? `job ${job.id} is ${job.state} and has none yet; spawn cancel ${job.id} calls it off`
    : undefined;
}

async function liveJob(client: Client, ref: string): Promise<JobView | undefined> {
  try {
    const job = await client.job(ref);
    return job.endedAt === undefined ? job : undefined;
  } catch (error) {
    if (isSpawnError(error)) return undefined;
    throw error;
  }
}

/** Like a list, whether the coordinator answers nothing or that there is none. */
async function instancesOf(client: Client, target: InstanceTarget): Promise<readonly InstanceView[]> {
  try {
    return await allInstances(client, target);
  } catch (error) {
    if (isSpawnError(error) && error.code === 'INSTANCE_NOT_FOUND') return [];
    throw error;
  }
}

/** Reads ARRAY: number of its job, name, or array id. */
export function readArrayRef(verb: string, text: string): string {
  const expected = 'an array: its name, its id or the number of its job';
  const bad = () => new SpawnError('BAD_REQUEST', { where: verb, expected, found: text });
  try {
    const ref = parseJobRef(text);
    if (ref.kind === 'tasks') throw bad();
    return ref.kind === 'job' ? String(ref.id) : ref.name;
  } catch (error) {
    throw isSpawnError(error) ? bad() : error;
  }
}
