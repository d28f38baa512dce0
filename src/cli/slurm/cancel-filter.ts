import { MYSELF } from '../../api/myself.ts';
import { parseHostlist } from '../../config/slurm/hostlist.ts';
import { refusalOf, refuse, refuseLine } from '../../config/slurm/refusal.ts';
import type { World } from '../world.ts';
import { type DialectInput, isGiven, lastValue } from './dialect.ts';
import type { SlurmId } from './job-ids.ts';
import { jobName, type QueueRow } from './queue-rows.ts';
import { rowNodes, rowPartition } from './queue-values.ts';
import { isKnownUser, ownersOf, readUsers } from './users.ts';
import { readStates, type SlurmState } from './words.ts';

/** Which jobs scancel touches, besides those that are named. */
export interface CancelFilter {
  /** One was given. */
  readonly any: boolean;
  readonly owners: readonly string[] | undefined;
  readonly name: string | undefined;
  readonly states: readonly SlurmState[] | undefined;
  /** A user whom neither this machine knows nor any job has. */
  readonly stranger: string | undefined;
  /** Some conditions hold for some tasks of a job and not for others. */
  readonly byTask: boolean;
  readonly fits: (row: QueueRow) => boolean;
}

/** Reads scancel's options and variables that choose jobs. */
export function readCancelFilter(input: DialectInput, world: World): CancelFilter {
  const { env } = world;
  const given = (name: string, variable?: string) =>
    lastValue(input, name) ?? (variable === undefined ? undefined : env[variable] || undefined);
  const name = given('name', 'SCANCEL_NAME');
  const partition = given('partition', 'SCANCEL_PARTITION');
  const account = given('account', 'SCANCEL_ACCOUNT');
  const qos = given('qos', 'SCANCEL_QOS');
  const wckey = given('wckey', 'SCANCEL_WCKEY');
  const reservation = given('reservation');
  const user = given('user', 'SCANCEL_USER');
  const nodelist = given('nodelist');
  const states = readCancelStates(lastValue(input, 'state'), env.SCANCEL_STATE);
  const nodes = nodelist === undefined ? undefined : new Set(parseHostlist(nodelist));
  const people = isGiven(input, 'me') ? { owners: [MYSELF], stranger: undefined } : whose(user);
  const chosen = [name, partition, account, qos, wckey, reservation, people.owners, states, nodes];
  return {
    any: chosen.some((value) => value !== undefined),
    owners: people.owners,
    name,
    states,
    stranger: people.stranger,
    byTask: nodes !== undefined,
    fits(row) {
      const { job } = row;
      const slurm = job.slurm ?? {};
      return (
        (name === undefined || jobName(job) === name) &&
        (partition === undefined || rowPartition(row) === partition) &&
        (account === undefined || slurm.account === account) &&
        (qos === undefined || (slurm.qos ?? 'normal') === qos) &&
        (wckey === undefined || slurm.wckey === wckey) &&
        (reservation === undefined || slurm.reservation === reservation) &&
        (states === undefined || states.includes(row.state)) &&
        (nodes === undefined || rowNodes(row).some((node) => nodes.has(node)))
      );
    },
  };
}

function readCancelStates(option: string | undefined, variable: string | undefined): CancelFilter['states'] {
  if (option !== undefined) return readStates('scancel', option);
  if (variable === undefined || variable === '') return undefined;
  try {
    return readStates('scancel', variable);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    const [, ...others] = refusal.lines;
    throw refuse([{ form: 'bare', text: `Unrecognized SCANCEL_STATE value: ${variable}` }, ...others], refusal.exit);
  }
}

function whose(user: string | undefined): Pick<CancelFilter, 'owners' | 'stranger'> {
  if (user === undefined) return { owners: undefined, stranger: undefined };
  const users = readUsers();
  return { owners: ownersOf(user, users) ?? [user], stranger: isKnownUser(user, users) ? undefined : user };
}

/** @throws SpawnError with Slurm's words, for a user that nobody knows */
export function refuseStranger({ stranger }: CancelFilter, rows: readonly QueueRow[]): void {
  if (stranger === undefined || rows.some(({ job }) => job.owner === stranger)) return;
  throw refuseLine(`Invalid user name: ${stranger}`, 1);
}

/** `true` or `false` of a variable; any other word is told and does not count. */
export function readSwitch(input: DialectInput, world: World, name: string, variable: string): boolean {
  if (isGiven(input, name)) return true;
  const text = world.env[variable];
  if (text === undefined) return false;
  if (text.toLowerCase() === 'true') return true;
  if (text.toLowerCase() !== 'false') {
    world.stderr.write(`scancel: error: Unrecognized ${variable} value: ${text}\n`);
  }
  return false;
}

/** Whether a row is part of what an id names. */
export function isNamed({ job, task, set }: QueueRow, { ref }: SlurmId): boolean {
  if (ref.kind === 'job') return ref.id === job.id || ref.id === task?.rawId;
  if (ref.id !== job.id) return false;
  if (task !== undefined) return ref.indices.has(task.index);
  return set === undefined ? ref.indices.has(0) : set.intersect(ref.indices).size > 0;
}
