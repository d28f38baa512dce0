import type { InstanceTarget, InstanceVerb, InstanceVerbReply, InstanceVerbRequest } from '../../api/instance.ts';
import { parseDuration } from '../../core/duration.ts';
import { isSpawnError, SpawnError } from '../../core/errors.ts';
import { countsText } from '../../core/instance-counts.ts';
import type { Client } from '../client.ts';
import { type Command, defineCommand, type Example, type Option, type OptionTable, type Values } from '../command.ts';
import { at } from '../option-values.ts';
import { jsonOption } from '../output-option.ts';
import { reportError } from '../report-error.ts';
import type { World } from '../world.ts';
import { confirmed, needYes } from './confirm.ts';
import { targetOptions } from './filters.ts';
import { showReport } from './show-report.ts';
import { type Found, findMembers, readTargets } from './targets.ts';
import { VerbProgress } from './verb-progress.ts';

const MAX_WAIT_MS = 60_000;
const MAX_NAMES = 100;

function readTimeout(text: string, where: string): number {
  const ms = at(where, () => parseDuration(text));
  if (ms <= MAX_WAIT_MS) return ms;
  throw new SpawnError('BAD_REQUEST', { where, expected: 'at most 60s', found: text });
}

export const timeoutOption = {
  value: 'DURATION',
  summary: 'Wait so long for the instances to acknowledge it; default 10s, at most 60s',
  parse: readTimeout,
} as const satisfies Option<number>;

export const yesOption = { short: 'y', summary: 'Do not ask' } as const;

const options = {
  ...targetOptions,
  timeout: timeoutOption,
  // Also of verbs that never ask: so scripts can give it to each of them.
  yes: yesOption,
  format: jsonOption,
} as const satisfies OptionTable;

/** How a verb is described, and how its end is told: `8 instances stopped`. */
interface Words {
  readonly about: string;
  readonly done: string;
  readonly examples: readonly Example[];
  /** Operands after the names, as in the usage line. */
  readonly usage?: string;
}

type Parts = Pick<InstanceVerbRequest, 'byMs' | 'ttlMs' | 'noticeMs'>;

interface More<T extends OptionTable> {
  readonly options: T;
  /** Takes apart the operands where not all of them are names, and gives the rest of the request; may throw. */
  readonly read?: (operands: readonly string[], given: Values<T>) => { names: readonly string[]; request: Parts };
  /** What is asked before; undefined: nothing. `always`: where nobody can be asked, `-y` must have been given. */
  readonly asks?: { readonly always: boolean; readonly question: (found: readonly Found[]) => string | undefined };
}

/**
 * A command that does one thing to instances. All that is named is looked up before anything is changed; then each is tried, also after one
 * that was not there. The exit code is that of the worst.
 */
export function changeInstances<const T extends OptionTable>(
  verb: InstanceVerb,
  words: Words,
  more?: More<T>,
): Command {
  const tail = words.usage ?? '';
  return defineCommand({
    usage: [`${verb} [options] NAME|ID…${tail}`, `${verb} [options] --job-array-name NAME${tail}`],
    about: words.about,
    options: { ...options, ...more?.options } as T & typeof options,
    operands: { name: 'NAME|ID', min: 0, max: MAX_NAMES },
    examples: words.examples,
    run: async ({ options: values, operands }, world) => {
      const given = values as Values<typeof options>;
      const read = more?.read?.(operands, values as Values<T>);
      const targets = readTargets(verb, read?.names ?? operands, given);
      const yes = given.yes === true;
      if (more?.asks?.always) needYes(world, verb, yes);
      const client = await world.connect();
      const { found, exitCode } = await findAll(world, client, targets);
      const question = yes || !world.stdin.isTTY ? undefined : more?.asks?.question(found);
      if (question !== undefined && !(await confirmed(world, verb, question))) return 1;
      if (found.length === 0) return exitCode;
      const waitMs = given.timeout === undefined ? {} : { waitMs: given.timeout };
      const request = { ...read?.request, ...waitMs };
      const done = await changeAll(world, client, verb, found, request);
      const shown = { verb, done: words.done, json: given.format === 'json' };
      return Math.max(exitCode, done.exitCode, showReport(world, shown, done.members, found));
    },
  });
}

/** Those that are there, each once, whether it was named by its name, its id or both; tells of those that are not, with the exit code for them. */
export async function findAll(world: World, client: Client, targets: readonly InstanceTarget[]) {
  const found: Found[] = [];
  const ids = new Set<string>();
  let exitCode = 0;
  for (const target of targets) {
    try {
      const next = await findMembers(client, target);
      const live = next.members.filter(({ state }) => state !== 'terminated');
      // Of a name that several machines had, the one that has it now is meant.
      const meant = live.length > 0 ? live : next.members;
      if (meant.every(({ id }) => ids.has(id))) continue;
      for (const { id } of meant) ids.add(id);
      found.push(next);
    } catch (error) {
      if (!isSpawnError(error) || error.code !== 'INSTANCE_NOT_FOUND') throw error;
      exitCode = reportError(error, world);
    }
  }
  return { found, exitCode };
}

/** Does it to all; tells of those that could not be asked for, with the exit code for them. */
export async function changeAll(
  world: World,
  client: Client,
  verb: InstanceVerb,
  found: readonly Found[],
  request: Omit<InstanceVerbRequest, 'target'>,
) {
  const members: InstanceVerbReply['members'] = [];
  let exitCode = 0;
  const targets = found.map(({ target }) => target);
  const count = found.reduce((sum, { members }) => sum + members.length, 0);
  const progress = new VerbProgress(world, client, verb, targets, count);
  try {
    // At once, for each answer waits for what it acknowledges.
    const replies = await Promise.allSettled(
      targets.map((target) => client.instanceVerb(verb, { target, ...request })),
    );
    progress.end();
    for (const reply of replies) {
      if (reply.status === 'fulfilled') members.push(...reply.value.members);
      else if (isSpawnError(reply.reason)) exitCode = Math.max(exitCode, reportError(reply.reason, world));
      else throw reply.reason;
    }
  } finally {
    progress.end();
  }
  return { members, exitCode };
}

/** `8 instances, 7 running, 1 stopped`, or the one by name; undefined when all that is found is terminated already. */
export function liveText(found: readonly Found[]): string | undefined {
  const live = found.flatMap(({ members }) => members).filter(({ state }) => state !== 'terminated');
  const [first, ...others] = live;
  if (first === undefined) return undefined;
  return others.length === 0 ? `${first.name} (${first.id}, ${first.state})` : countsText(live);
}
