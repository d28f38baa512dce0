import { SQUEUE_OPTIONS } from '../../config/slurm/query-options.ts';
import { refuse } from '../../config/slurm/refusal.ts';
import { localZone } from '../local-zone.ts';
import type { World } from '../world.ts';
import { dateLine } from './clock-text.ts';
import { type DialectInput, defineDialect, isGiven, lastValue } from './dialect.ts';
import { dialectHelp } from './dialect-help.ts';
import { iterate, iterateSeconds } from './iterate.ts';
import { readSlurmIds } from './job-ids.ts';
import type { QueueFacts } from './queue-fields.ts';
import { openQueue } from './queue-pages.ts';
import { LISTED_STATES, type QueueAsk, readQueueAsk } from './queue-query.ts';
import { eachTask, forgetCancelled, mergeWaiting, type QueueRow, readRows } from './queue-rows.ts';
import { isStepOf } from './queue-steps.ts';
import { type QueueTable, readQueueTable, tableLines } from './queue-table.ts';
import { readTimeFormat } from './time-format.ts';
import { readUsers } from './users.ts';
import { writePieces } from './write-pieces.ts';

/** `squeue`: what waits, runs and has just ended. */
export const squeue = defineDialect({
  command: 'squeue',
  usage: ['[options]'],
  about:
    'Shows jobs that wait and run; with -t also those that ended in the last 5 minutes. Tasks of an array that wait are one line, with -r\n' +
    'one each. Variables SQUEUE_* stand for options that are not given.',
  options: SQUEUE_OPTIONS,
  async run(given, world) {
    const input = withOperands(given, world);
    const seconds = iterateSeconds(lastValue(input, 'iterate'), badIterate);
    return iterate('squeue', seconds, world, () => show(input, world));
  },
});

/** A list of jobs or steps may also follow its option as a word of its own. */
function withOperands({ given, operands }: DialectInput, world: World): DialectInput {
  const [first, ...others] = operands;
  const taker = ['jobs', 'steps'].find((name) => isGiven({ given, operands }, name));
  const surplus = taker === undefined ? first : others[0];
  if (surplus !== undefined) {
    world.stdout.write(dialectHelp(squeue, true));
    throw refuse([{ form: 'error', text: `Unrecognized option: ${surplus}` }], 1);
  }
  if (taker === undefined || first === undefined) return { given, operands };
  return { given: [...given, { ...given.find(({ option }) => option.long === taker)!, value: first }], operands: [] };
}

function badIterate(text: string) {
  const lines = [{ form: 'error', text: `--iterate=${text}` } as const, { form: 'bare', text: '' } as const];
  return refuse(lines, 1);
}

type Facts = { -readonly [K in keyof QueueFacts]: QueueFacts[K] };

async function show(input: DialectInput, world: World): Promise<void> {
  const { env, stdout } = world;
  const users = readUsers();
  const time = timeText(world);
  const facts: Facts = { now: world.now(), env, users, time, isArray: () => false };
  const isData = isGiven(input, 'json') || isGiven(input, 'yaml');
  const steps = readSlurmIds('squeue', lastValue(input, 'steps') ?? '');
  const table = readQueueTable(input, world, facts);
  const ask = await readQueueAsk(input, world, users, defaultStates(input));
  const header = !isGiven(input, 'noheader');
  const all = ask.nothing ? [] : await askRows(ask, world, facts);
  tellStrangers(ask, all, world);
  const shown = forgetCancelled(all)
    .filter(ask.fits)
    .map((row) => asNamed(row, ask));
  const fitting = isGiven(input, 'steps') ? shown.filter((row) => isStepOf(row, steps)) : shown;
  await lookUp(table, isData, fitting, world, facts);
  if (isData) return writeData(input, mergeWaiting(fitting), world, facts);
  const isEach = isGiven(input, 'array') || env.SQUEUE_ARRAY !== undefined;
  const rows = isEach || isGiven(input, 'array-unique') ? fitting : mergeWaiting(fitting);
  const sorted = rows.toSorted(table.compare);
  if (header && (isGiven(input, 'long') || isGiven(input, 'iterate') || isGiven(input, 'verbose'))) {
    stdout.write(`${dateLine(world.now(), localZone)}\n`);
  }
  await writePieces(tableLines(table, isEach ? tasksOf(sorted) : sorted, header), stdout);
}

/** What is wrong with its format is told when the first time is shown. */
function timeText({ env, now, stderr }: World): QueueFacts['time'] {
  const { text, fault } = readTimeFormat(env, now(), localZone);
  let untold = fault;
  return (at) => {
    if (untold !== undefined) stderr.write(`squeue: error: ${untold}\n`);
    untold = undefined;
    return text(at);
  };
}

/** Of tasks that were named the throttle of their array is not shown. */
function asNamed(row: QueueRow, { onlyTasksOf }: QueueAsk): QueueRow {
  if (row.set === undefined || !onlyTasksOf.has(row.job.id)) return row;
  return { ...row, throttle: 0, single: row.set.size === 1 };
}

function* tasksOf(rows: readonly QueueRow[]): Generator<QueueRow> {
  for (const row of rows) yield* eachTask(row);
}

/** Data are of all states. */
function defaultStates(input: DialectInput) {
  if (isGiven(input, 'json') || isGiven(input, 'yaml')) return undefined;
  return isGiven(input, 'start') ? (['PENDING'] as const) : LISTED_STATES;
}

async function askRows({ query, ids }: QueueAsk, world: World, facts: Facts): Promise<readonly QueueRow[]> {
  const { now, missing, parts } = await openQueue(await world.connect(), query, ids);
  facts.now = now;
  // Of several Slurm says nothing.
  if (ids.length === 1 && missing.length > 0) {
    throw refuse([{ form: 'bare', text: 'slurm_load_jobs error: Invalid job id specified' }], 1);
  }
  return await readRows(parts);
}

/** A user that nobody knows and that has no jobs. */
function tellStrangers({ strangers }: QueueAsk, rows: readonly QueueRow[], { stderr }: World): void {
  const owners = new Set(rows.map(({ job }) => job.owner));
  for (const name of strangers) if (!owners.has(name)) stderr.write(`squeue: error: Invalid user: ${name}\n\n`);
}

/** Asks for what the table shows and the queue does not tell. */
async function lookUp(table: QueueTable, isData: boolean, rows: readonly QueueRow[], world: World, facts: Facts) {
  const isWanted = isData || table.shows('DEPENDENCY');
  if (!isWanted || !rows.some(({ after }) => after !== undefined)) return;
  const { lookUpArrays } = await import('./queue-lookups.ts');
  facts.isArray = await lookUpArrays(await world.connect(), rows);
}

async function writeData(
  input: DialectInput,
  rows: readonly QueueRow[],
  { stdout }: World,
  facts: Facts,
): Promise<void> {
  const { queueData } = await import('./queue-json.ts');
  const { listPieces, listText } = await import('./openapi-text.ts');
  const text = listText(isGiven(input, 'json') ? 'json' : 'yaml', 'jobs');
  function* data() {
    for (const row of rows) yield queueData(row, facts);
  }
  await writePieces(listPieces(text, data()), stdout);
}
