import { MAX_PAGE } from '../../api/limits.ts';
import { MYSELF } from '../../api/myself.ts';
import type { QueueQueryInput } from '../../api/queue.ts';
import { parseHostlist } from '../../config/slurm/hostlist.ts';
import { refuseLine } from '../../config/slurm/refusal.ts';
import type { Client } from '../client.ts';
import type { World } from '../world.ts';
import { type DialectInput, isGiven, lastValue } from './dialect.ts';
import { readSlurmIds, type SlurmId } from './job-ids.ts';
import { MIN_JOB_AGE } from './queue-pages.ts';
import { jobName, type QueueRow } from './queue-rows.ts';
import { rowNodes, rowPartition } from './queue-values.ts';
import { isKnownUser, ownersOf, type Users } from './users.ts';
import { ENDED_STATES, readStates, type SlurmState } from './words.ts';

const ACTIVE: readonly SlurmState[] = ['PENDING', 'RUNNING', 'SUSPENDED', 'COMPLETING', 'CONFIGURING', 'SIGNALING'];

/** What is asked of the coordinator, and which of the rows that it tells are shown. */
export interface QueueAsk {
  readonly query: QueueQueryInput;
  /** As they were written, for what Slurm says when there is no such job. */
  readonly ids: readonly SlurmId[];
  readonly fits: (row: QueueRow) => boolean;
  /** Users that this machine does not know, as they were written. */
  readonly strangers: readonly string[];
  /** Nothing can fit. */
  readonly nothing: boolean;
  /** Jobs of which no more than some tasks were named. */
  readonly onlyTasksOf: ReadonlySet<number>;
}

/** What squeue's options and variables ask for. @param anyState the states where none are asked for; undefined: all */
export async function readQueueAsk(
  input: DialectInput,
  world: World,
  users: Users,
  anyState: readonly SlurmState[] | undefined,
): Promise<QueueAsk> {
  const { env } = world;
  const listOf = (name: string, variable: string) => splitWords(lastValue(input, name) ?? env[variable]);
  const states = chosenStates(lastValue(input, 'states') ?? env.SQUEUE_STATES) ?? anyState;
  const list = lastValue(input, 'jobs');
  const ids = readSlurmIds('squeue', list ?? '');
  const names = listOf('name', 'SQUEUE_NAMES');
  const partitions = listOf('partitions', 'SQUEUE_PARTITION');
  const accounts = listOf('account', 'SQUEUE_ACCOUNT');
  const qos = listOf('qos', 'SQUEUE_QOS');
  const licenses = listOf('licenses', 'SQUEUE_LICENSES');
  const reservations = splitWords(lastValue(input, 'reservation'));
  const people = isGiven(input, 'me')
    ? { owners: [MYSELF], strangers: [] }
    : readUsers(listOf('user', 'SQUEUE_USERS'), users);
  const nodes = await readNodes(lastValue(input, 'nodelist'), world);
  const wanted = states === undefined ? undefined : new Set(states);
  const tasksAlone = new Set(ids.flatMap(({ ref }) => (ref.kind === 'tasks' ? [ref.id as number] : [])));
  for (const { ref } of ids) if (ref.kind === 'job') tasksAlone.delete(ref.id);
  const fits = (row: QueueRow): boolean => {
    const { job } = row;
    const slurm = job.slurm ?? {};
    return (
      (wanted?.has(row.state) ?? true) &&
      isAmong(names, jobName(job)) &&
      isAmong(accounts, slurm.account) &&
      isAmong(qos, slurm.qos ?? 'normal') &&
      isAmong(licenses, slurm.licenses) &&
      isAmong(reservations, slurm.reservation) &&
      (partitions === undefined ||
        rowPartition(row)
          .split(',')
          .some((name) => partitions.includes(name))) &&
      (nodes === undefined || rowNodes(row).some((name) => nodes.has(name))) &&
      // Only its tasks were named, and Slurm no longer knows which of them it keeps.
      !(tasksAlone.has(job.id) && row.task === undefined && row.set === undefined && job.array !== undefined)
    );
  };
  return {
    query: {
      limit: MAX_PAGE,
      ...(names === undefined ? {} : { names: [...names] }),
      ...(people.owners === undefined ? {} : { owners: [...people.owners] }),
      ...stateQuery(states),
    },
    ids,
    fits,
    strangers: people.strangers,
    nothing: list === '' || names?.length === 0 || people.owners?.length === 0,
    onlyTasksOf: tasksAlone,
  };
}

/** The states that are listed where nothing else is asked. */
export const LISTED_STATES = ACTIVE;

function chosenStates(text: string | undefined): readonly SlurmState[] | undefined {
  return text === undefined || text === '' ? undefined : readStates('squeue', text);
}

/** States of the tasks that Slurm shows in one of its own. */
function taskStates(state: SlurmState): string {
  return state === 'PENDING' ? 'blocked,ready,leased' : (ENDED_STATES[state] ?? 'running');
}

function stateQuery(states: readonly SlurmState[] | undefined): QueueQueryInput {
  if (states === undefined) return { ended: MIN_JOB_AGE };
  const asked = new Set(states.flatMap((state) => taskStates(state).split(',')));
  const ended = states.some((state) => ENDED_STATES[state] !== undefined);
  return { states: [...asked].join(','), ...(ended ? { ended: MIN_JOB_AGE } : {}) };
}

/** Undefined: all. An empty list of Slurm's is one that nothing fits, but an option without a value is none. */
function splitWords(text: string | undefined): readonly string[] | undefined {
  return text?.split(',').filter((word) => word !== '');
}

function isAmong(list: readonly string[] | undefined, word: string | undefined): boolean {
  return list === undefined || (word !== undefined && list.includes(word));
}

interface People {
  readonly owners: readonly string[] | undefined;
  readonly strangers: readonly string[];
}

function readUsers(names: readonly string[] | undefined, users: Users): People {
  if (names === undefined) return { owners: undefined, strangers: [] };
  const strangers = names.filter((name) => !isKnownUser(name, users));
  // Jobs may belong to owners of tokens, whom no machine knows.
  return { owners: names.flatMap((name) => ownersOf(name, users) ?? [name]), strangers };
}

async function readNodes(text: string | undefined, world: World): Promise<ReadonlySet<string> | undefined> {
  if (text === undefined) return undefined;
  const names = text === 'localhost' ? [] : parseHostlist(text);
  const known = await workerNames(await world.connect());
  const unknown = names.find((name) => !known.has(name));
  if (unknown !== undefined) throw refuseLine(`Invalid node name ${unknown}`, 1);
  return new Set(names);
}

async function workerNames(client: Client): Promise<ReadonlySet<string>> {
  const { sessions } = await client.server();
  return new Set(sessions.map(({ worker }) => worker));
}
