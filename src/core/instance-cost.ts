const HOUR_MS = 3_600_000;

/** USD of so much running time at a rate in USD an hour. */
export function costOf(ranMs: number, rate: number): number {
  return (ranMs / HOUR_MS) * rate;
}

/** For how long an amount of USD lasts at a rate, ms; Infinity when it costs nothing. */
export function lastsMs(usd: number, rate: number): number {
  return rate > 0 ? (Math.max(0, usd) / rate) * HOUR_MS : Number.POSITIVE_INFINITY;
}

/** What a forecast goes by: one instance. */
export interface Forecast {
  readonly ranMs: number;
  readonly rate: number;
  /** It is charged now, or it will be once it has come up. */
  readonly live: boolean;
  /** Until its TTL ends; undefined: none. */
  readonly ttlLeftMs: number | undefined;
}

/** USD of all of them when what lives goes on until its TTL; undefined when one of those has none: there is no end to it. */
export function forecastCost(members: Iterable<Forecast>): number | undefined {
  let sum = 0;
  for (const { ranMs, rate, live, ttlLeftMs } of members) {
    if (live && ttlLeftMs === undefined) return undefined;
    sum += costOf(ranMs + (live ? Math.max(0, ttlLeftMs!) : 0), rate);
  }
  return sum;
}

/** Percent that `lower` is below `price`: 60 of 0.4 and 1; 0 when nothing is to be saved. */
export function savedPercent(price: number, lower: number): number {
  return price > 0 ? Math.max(0, Math.round((1 - lower / price) * 100)) : 0;
}

/** `2026-11` of a time in epoch ms, UTC. */
export function monthOf(at: number): string {
  return new Date(at).toISOString().slice(0, 7);
}

/** Epoch ms of the first moment of the month (UTC) that a time is in. */
export function monthStart(at: number): number {
  return Date.parse(`${monthOf(at)}-01T00:00:00Z`);
}

/** `$1.25`, `$0.0104`, `$1,234.50`: cents, below ten cents four places, and six where those would say nothing. */
export function shownUsd(usd: number): string {
  const size = Math.abs(usd);
  const places = size === 0 || size >= 0.1 ? 2 : size >= 0.0001 ? 4 : 6;
  const [whole, part] = Math.abs(usd).toFixed(places).split('.');
  return `${usd < 0 ? '-' : ''}$${whole!.replace(/\B(?=(\d{3})+$)/g, ',')}.${part}`;
}

/** `$0.1008`, `$0.08925`, `$1.50`: a price in full, two to six places, so that a product of it can be checked. */
export function shownRate(usd: number): string {
  const [whole, part] = usd.toFixed(6).split('.');
  return `$${whole}.${part!.replace(/0{1,4}$/, '')}`;
}
