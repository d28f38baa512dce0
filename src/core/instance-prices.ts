/** USD an hour. */
export interface Rates {
  readonly onDemand: number;
  readonly spot: number;
}

/** Of which day the prices are; where they are from: docs/instance-types.md. */
export const PRICES_OF = '2026-06-17';

/** Its prices are those of `local` and of every region that is not in the table. */
export const REFERENCE_REGION = 'us-east-1';

const REGIONS = [REFERENCE_REGION, 'us-east-2', 'us-west-2', 'eu-west-1', 'eu-central-1', 'ap-northeast-1'];

/**
 * USD an hour of the smallest size of each family, Linux, region by region. Larger sizes cost so many times more. A spot price moves all
 * day: these are the middle of what the zones of a region asked on one day.
 */
const PRICES: Readonly<Record<string, { readonly onDemand: readonly number[]; readonly spot: readonly number[] }>> = {
  t3: {
    onDemand: [0.0104, 0.0104, 0.0104, 0.0114, 0.012, 0.0136],
    spot: [0.0047, 0.0032, 0.00455, 0.0059, 0.0053, 0.0047],
  },
  m7i: {
    onDemand: [0.1008, 0.1008, 0.1008, 0.11235, 0.12075, 0.1302],
    spot: [0.0425, 0.0442, 0.0425, 0.06155, 0.0652, 0.0626],
  },
  c7i: {
    onDemand: [0.08925, 0.08925, 0.08925, 0.09576, 0.10185, 0.11235],
    spot: [0.035, 0.03165, 0.0454, 0.0513, 0.0471, 0.04095],
  },
  r7i: {
    onDemand: [0.1323, 0.1323, 0.1323, 0.14805, 0.1596, 0.1596],
    spot: [0.0393, 0.0402, 0.0491, 0.0671, 0.068, 0.045],
  },
  g5: {
    onDemand: [1.006, 1.006, 1.006, 1.123, 1.258, 1.459],
    spot: [0.436, 0.3841, 0.4857, 0.5746, 0.6178, 0.657],
  },
};

/** `local` has those of the reference region on purpose. */
export function hasPrices(region: string): boolean {
  return region === 'local' || REGIONS.includes(region);
}

/** Prices of the smallest size of a family in a region; of the reference region for one that is not in the table. */
export function pricesOf(family: string, region: string): Rates {
  const at = Math.max(0, REGIONS.indexOf(region));
  const { onDemand, spot } = PRICES[family]!;
  return { onDemand: onDemand[at]!, spot: spot[at]! };
}
