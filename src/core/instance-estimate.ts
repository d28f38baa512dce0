import { formatDuration } from './duration.ts';
import { costOf, savedPercent, shownRate, shownUsd } from './instance-cost.ts';
import type { Rates } from './instance-prices.ts';

/** What a launch is expected to cost: every member runs until its TTL, or for an hour when it has none. USD. */
export interface CostEstimate {
  readonly members: number;
  /** USD an hour of one member, as it is charged. */
  readonly rate: number;
  /** For how long each runs, ms; an hour when there is no TTL, and then `perHour` is true. */
  readonly forMs: number;
  readonly perHour: boolean;
  /** Members x rate x time: the one of the next two that is charged. */
  readonly cost: number;
  readonly onDemand: number;
  readonly spot: number;
  /** That spot saves. */
  readonly savedPercent: number;
  /** What it cannot cost more than. */
  readonly limit?: number;
}

const HOUR_MS = 3_600_000;

export function estimateCost(
  members: number,
  rates: Rates,
  terms: { readonly ttlMs: number; readonly spot: boolean; readonly costLimit?: number | undefined },
): CostEstimate {
  const forMs = terms.ttlMs > 0 ? terms.ttlMs : HOUR_MS;
  const onDemand = members * costOf(forMs, rates.onDemand);
  const spot = members * costOf(forMs, rates.spot);
  return {
    members,
    rate: terms.spot ? rates.spot : rates.onDemand,
    forMs,
    perHour: terms.ttlMs === 0,
    cost: terms.spot ? spot : onDemand,
    onDemand,
    spot,
    savedPercent: savedPercent(rates.onDemand, rates.spot),
    ...(terms.costLimit === undefined ? {} : { limit: terms.costLimit }),
  };
}

/** `~$0.03 (5 instances x 30m x $0.0104/hour)`, or `~$0.05 an hour (5 instances x $0.0104/hour)`. */
export function estimateText(estimate: CostEstimate): string {
  const count = `${estimate.members} instance${estimate.members === 1 ? '' : 's'}`;
  const rate = `${shownRate(estimate.rate)}/hour`;
  if (estimate.perHour) return `~${shownUsd(estimate.cost)} an hour (${count} x ${rate})`;
  return `~${shownUsd(estimate.cost)} (${count} x ${formatDuration(estimate.forMs)} x ${rate})`;
}

/** `~$1.05 (60% less than ~$2.62 on demand)`. */
export function spotText({ spot, onDemand, savedPercent: percent, perHour }: CostEstimate): string {
  const each = perHour ? ' an hour' : '';
  return `~${shownUsd(spot)}${each} (${percent}% less than ~${shownUsd(onDemand)} on demand)`;
}
