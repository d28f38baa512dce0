import { checkNamedDependency, namesIn, replaceNames } from '../core/named-dependency.ts';
import type { Client } from './client.ts';
import { memberOf } from './instances/member-of.ts';
import { named } from './option-values.ts';

const WHERE = '--after';
/** Reads `--after` to say at once what is wrong with it; which jobs its names mean is asked when it is sent. */
export function readAfter(text: string, where: string): string {
  try {
    checkNamedDependency(text);
  } catch (error) {
    throw named(where, error);
  }
  return text;
}

/**
 * The dependency with numbers only, as the coordinator takes it. A name means the live job that has it, else the newest that ended; that
 * of an instance, its task.
 *
 * @throws SpawnError JOB_NOT_FOUND, AMBIGUOUS_NAME
 */
export async function numberAfter(client: Client, text: string): Promise<string> {
  const names = namesIn(text);
  const numbers = new Map<string, string>();
  for (const { name } of names) if (!numbers.has(name)) numbers.set(name, await numberOf(client, name));
  return replaceNames(text, names, (name) => numbers.get(name)!);
}

async function numberOf(client: Client, name: string): Promise<string> {
  try {
    const job = await client.job(name);
    const task = await memberOf(client, name, job);
    return task === undefined ? String(job.id) : `${job.id}_${task.index}`;
  } catch (error) {
    throw named(WHERE, error);
  }
}
