/**
 * USD an hour of the smallest size of each family, Linux, in six regions, and which part of it a spot instance typically costs. Larger
 * sizes cost twice, four times … as much. Where the figures are from: docs/instance-types.md.
 */

/** Of which day the prices are. */
export const PRICES_OF = '2026-06-17';

/** Its prices are those of `local` and of every region that is not in the table. */
export const REFERENCE_REGION = 'us-east-1';

interface RegionPrice {
  readonly region: string;
  readonly onDemand: number;
  /** Of the price on demand: 0.4 = a spot instance costs 40 % of it. */
  readonly spotPart: number;
}

const REGIONS = ['us-east-1', 'us-east-2', 'us-west-2', 'eu-west-1', 'eu-central-1', 'ap-northeast-1'];

const ON_DEMAND: Readonly<Record<string, readonly number[]>> = {
  t3: [0.0104, 0.0104, 0.0104, 0.0114, 0.012, 0.0136],
  m7i: [0.1008, 0.1008, 0.1008, 0.11235, 0.12075, 0.1302],
  c7i: [0.08925, 0.08925, 0.08925, 0.09555, 0.10185, 0.11235],
  r7i: [0.1323, 0.1323, 0.1323, 0.14805, 0.1596, 0.1596],
  g5: [1.006, 1.006, 1.006, 1.123, 1.258, 1.459],
};

const SPOT_PART: Readonly<Record<string, readonly number[]>> = {
  t3: [0.4, 0.3, 0.4, 0.4, 0.35, 0.35],
  m7i: [0.4, 0.35, 0.4, 0.4, 0.4, 0.35],
  c7i: [0.4, 0.35, 0.4, 0.4, 0.4, 0.35],
  r7i: [0.4, 0.35, 0.4, 0.4, 0.4, 0.35],
  g5: [0.45, 0.4, 0.45, 0.45, 0.45, 0.4],
};

/** Prices of the smallest size of a family; of the reference region for one that is not in the table. */
export function priceOf(family: string, region: string): RegionPrice {
  const at = Math.max(0, REGIONS.indexOf(region));
  return { region: REGIONS[at]!, onDemand: ON_DEMAND[family]![at]!, spotPart: SPOT_PART[family]![at]! };
}
