import { SpawnError } from './errors.ts';
import { pricesOf, type Rates } from './instance-prices.ts';
import { didYouMean } from './nearest.ts';

/** What an instance of a type has. */
export interface InstanceType {
  readonly name: string;
  readonly vcpus: number;
  readonly memoryBytes: number;
  readonly gpus: number;
}

/** When nothing is said. */
export const DEFAULT_TYPE = 't3.micro';

const GIB = 1024 ** 3;

/** Name, vCPUs, memory in GiB, GPUs, and how often the price of the smallest size of its family it costs. */
const ROWS: readonly (readonly [name: string, vcpus: number, gib: number, gpus: number, times: number])[] = [
  ['t3.micro', 2, 1, 0, 1],
  ['t3.small', 2, 2, 0, 2],
  ['t3.medium', 2, 4, 0, 4],
  ['t3.large', 2, 8, 0, 8],
  ['m7i.large', 2, 8, 0, 1],
  ['m7i.xlarge', 4, 16, 0, 2],
  ['m7i.2xlarge', 8, 32, 0, 4],
  ['m7i.4xlarge', 16, 64, 0, 8],
  ['c7i.large', 2, 4, 0, 1],
  ['c7i.xlarge', 4, 8, 0, 2],
  ['c7i.2xlarge', 8, 16, 0, 4],
  ['c7i.4xlarge', 16, 32, 0, 8],
  ['c7i.8xlarge', 32, 64, 0, 16],
  ['r7i.large', 2, 16, 0, 1],
  ['r7i.xlarge', 4, 32, 0, 2],
  ['r7i.2xlarge', 8, 64, 0, 4],
  ['r7i.4xlarge', 16, 128, 0, 8],
  ['g5.xlarge', 4, 16, 1, 1],
];

const TYPES = new Map(
  ROWS.map(([name, vcpus, gib, gpus, times]) => [
    name,
    { type: { name, vcpus, memoryBytes: gib * GIB, gpus } as InstanceType, family: name.split('.')[0]!, times },
  ]),
);

/** All of them, in the order of the table of docs/instance-types.md. */
export function instanceTypes(): readonly InstanceType[] {
  return [...TYPES.values()].map(({ type }) => type);
}

function rowOf(name: string, where: string) {
  const row = TYPES.get(name);
  if (row !== undefined) return row;
  const names = [...TYPES.keys()];
  const expected = `an instance type (${names.join(', ')})${didYouMean(name.toLowerCase(), names)}`;
  throw new SpawnError('BAD_REQUEST', { where, expected, found: name });
}

/**
 * The type of that name.
 *
 * @throws BAD_REQUEST at `where`, with the type that was probably meant
 */
export function findType(name: string, where = 'instance type'): InstanceType {
  return rowOf(name, where).type;
}

/**
 * What an instance of the type costs in the region; `local` and regions without prices cost what us-east-1 does.
 *
 * @throws BAD_REQUEST at `where` when there is no such type
 */
export function ratesOf(name: string, region: string, where = 'instance type'): Rates {
  const { family, times } = rowOf(name, where);
  const { onDemand, spot } = pricesOf(family, region);
  return { onDemand: toMicro(onDemand * times), spot: toMicro(spot * times) };
}

/** One of both: USD an hour. */
export function rateOf(name: string, region: string, spot: boolean): number {
  const rates = ratesOf(name, region);
  return spot ? rates.spot : rates.onDemand;
}

/** To a millionth of a dollar, so that a price is the number that people read. */
function toMicro(usd: number): number {
  return Math.round(usd * 1e6) / 1e6;
}
