import { refuse, refuseLine } from '../../config/slurm/refusal.ts';
import type { World } from '../world.ts';
import { type DialectInput, isGiven, lastValue } from './dialect.ts';
import { type LineFormat, readNamedFormat, readPercentFormat, rowLine, titleLine } from './percent-format.ts';
import { ALL_LETTERS, type QueueFacts, type QueueFields, queueFields } from './queue-fields.ts';
import { queueOrders } from './queue-orders.ts';
import type { QueueRow } from './queue-rows.ts';
import { STEP_LETTERS, stepFields, stepOrders } from './queue-steps.ts';
import { orderBy, readSortKeys } from './sort-keys.ts';

const DEFAULT = '%.18i %.9P %.8j %.8u %.2t %.10M %.6D %R';
const LONG = '%.18i %.9P %.8j %.8u %.8T %.10M %.9l %.6D %R';
const START = '%.18i %.9P %.8j %.8u %.2t %.19S %.6D %20Y %R';
const STEPS = '%.15i %.8j %.9P %.8u %.9M %N';

/** How squeue writes its rows and in which order. */
export interface QueueTable {
  readonly format: LineFormat<QueueRow>;
  readonly compare: (a: QueueRow, b: QueueRow) => number;
  /** The fields, by the title, that it shows. */
  readonly shows: (title: string) => boolean;
}

/**
 * What the options and variables say of the table; what is no field is told on stderr.
 * @throws SpawnError with Slurm's words
 */
export function readQueueTable(input: DialectInput, world: World, facts: QueueFacts): QueueTable {
  const isSteps = isGiven(input, 'steps');
  const fields = isSteps ? stepFields(facts) : queueFields(facts);
  const format = readFormat(input, world, fields, isSteps);
  const what = isSteps ? 'job step' : 'job';
  for (const name of format.unknown) {
    world.stderr.write(`squeue: error: Invalid ${what} format specification: ${name}\n`);
  }
  const orders = isSteps ? stepOrders(fields) : queueOrders(fields, facts);
  const byDefault = isSteps ? 'P,i' : isGiven(input, 'start') ? 'S' : 'P,t,-p';
  const sort = lastValue(input, 'sort') ?? world.env.SQUEUE_SORT ?? byDefault;
  // The long name of the only cluster there is.
  const keys = readSortKeys(sort === 'cluster' ? '' : sort, orders);
  return {
    format,
    compare: orderBy(keys, orders),
    shows: (title) => format.cells.some(({ field }) => field?.title === title),
  };
}

function readFormat(input: DialectInput, { env }: World, fields: QueueFields, isSteps: boolean): LineFormat<QueueRow> {
  const [short, long] = [lastValue(input, 'format'), lastValue(input, 'Format')];
  if (short !== undefined && long !== undefined) {
    const last = input.given.findLast(({ option }) => option.long === 'format' || option.long === 'Format')!;
    const [one, other] = last.option.long === 'format' ? SHORT_FIRST : SHORT_FIRST.toReversed();
    throw refuseLine(`${one} is incompatible with ${other}`, 1);
  }
  if (isGiven(input, 'long') && (short ?? long) !== undefined) {
    const name = short === undefined ? '-O(--Format)' : '-o(--format)';
    const text = `Options ${name} and -l(--long) are mutually exclusive. Please remove one and retry.`;
    throw refuse([{ form: 'fatal', text }], 1);
  }
  const percent = (text: string) => readPercentFormat(withAll(text, isSteps), fields.letters);
  if (short !== undefined) return percent(short);
  if (long !== undefined) return readNamedFormat(long, fields.names);
  if (isSteps) return percent(STEPS);
  if (isGiven(input, 'start')) return percent(START);
  if (isGiven(input, 'long')) return percent(LONG);
  if (env.SQUEUE_FORMAT !== undefined) return percent(env.SQUEUE_FORMAT);
  return env.SQUEUE_FORMAT2 === undefined ? percent(DEFAULT) : readNamedFormat(env.SQUEUE_FORMAT2, fields.names);
}

const SHORT_FIRST = ['-o (--format)', '-O (--Format)'];

/** `%all` is every field, with bars between them. */
function withAll(format: string, isSteps: boolean): string {
  if (!/^%all$/i.test(format)) return format;
  const letters = isSteps ? STEP_LETTERS : ALL_LETTERS;
  return letters.map((letter) => `%${letter}`).join('|') + (isSteps ? '|' : '');
}

/** The lines of the table, made when they are asked for. */
export function* tableLines({ format }: QueueTable, rows: Iterable<QueueRow>, header: boolean): Generator<string> {
  if (header) yield titleLine(format);
  for (const row of rows) yield rowLine(format, row);
}
