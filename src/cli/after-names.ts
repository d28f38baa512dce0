import { parseDependency } from '../core/dependency.ts';
import { isSpawnError } from '../core/errors.ts';
import { isJobName } from '../core/ids.ts';
import type { Client } from './client.ts';
import { memberOf } from './instances/member-of.ts';
import { named } from './option-values.ts';

const WHERE = '--after';
/** What is between the ids of a dependency, and the delay of `after:12+5`. */
const BETWEEN = /[,?:+]/;

/** A job or an instance that stands in a dependency by its name or array id. */
interface NamedJob {
  readonly at: number;
  readonly name: string;
}

/** Names come after a type and a colon: alone they would be read as a type. */
function namesIn(text: string): readonly NamedJob[] {
  const names: NamedJob[] = [];
  let at = 0;
  for (const term of text.split(/(?<=[,?])/)) {
    for (const [position, piece] of term.split(/(?<=:)/).entries()) {
      const name = piece.split(BETWEEN, 1)[0]!;
      if (position > 0 && isJobName(name)) names.push({ at, name });
      at += piece.length;
    }
  }
  return names;
}

/** The text with something else in place of each name. */
function replaceNames(text: string, names: readonly NamedJob[], other: (name: string) => string): string {
  return names
    .toReversed()
    .reduce((now, { at, name }) => now.slice(0, at) + other(name) + now.slice(at + name.length), text);
}

/** Reads `--after` to say at once what is wrong with it; which jobs its names mean is asked when it is sent. */
export function readAfter(text: string, where: string): string {
  try {
    // A number that is as long: so every place stays.
    parseDependency(replaceNames(text, namesIn(text), (name) => '1'.padStart(name.length, '0')));
  } catch (error) {
    throw named(where, isSpawnError(error) ? error.with({ text }) : error);
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
