import type { Counts, JobDelta } from '../../api/job.ts';
import { type Colour, painter } from './color.ts';
import { shownCount, shownDuration, shownRate } from './format.ts';

/** Tasks that have ended, however. */
export function endedOf(counts: Counts): number {
  return counts.completed + counts.failed + counts.cancelled + counts.skipped;
}

function sizeOf(counts: Counts): number {
  return endedOf(counts) + counts.blocked + counts.ready + counts.leased + counts.running;
}

/** ` (2 suspended)` of those that run; '' without any. */
export function suspendedText({ suspended = 0 }: { readonly suspended?: number | undefined }): string {
  return suspended === 0 ? '' : ` (${shownCount(suspended)} suspended)`;
}

const WINDOW_MS = 10_000;

interface Sample {
  readonly atMs: number;
  readonly ended: number;
}

/** How fast tasks end, over the last ten seconds, and how long the rest takes at that rate. */
export class RateMeter {
  private samples: Sample[] = [];

  add(counts: Counts, nowMs: number): void {
    const ended = endedOf(counts);
    // A retry takes ended tasks back: the rate before it says nothing of what comes.
    if (ended < (this.samples.at(-1)?.ended ?? 0)) this.samples = [];
    const last = this.samples.at(-1);
    if (last !== undefined && nowMs - last.atMs < WINDOW_MS / 50 && this.samples.length > 1) this.samples.pop();
    this.samples.push({ atMs: nowMs, ended });
    while (this.samples.length > 2 && this.samples[1]!.atMs <= nowMs - WINDOW_MS) this.samples.shift();
  }

  /** Tasks a second; undefined before anything ended. */
  perSecond(nowMs: number): number | undefined {
    const first = this.samples[0];
    const last = this.samples.at(-1);
    if (first === undefined || last === undefined || last.ended === first.ended || nowMs <= first.atMs)
      return undefined;
    return ((last.ended - first.ended) * 1_000) / (nowMs - first.atMs);
  }

  etaMs(remaining: number, nowMs: number): number | undefined {
    const rate = this.perSecond(nowMs);
    return rate === undefined || remaining === 0 ? undefined : (remaining / rate) * 1_000;
  }
}

const PARTS: readonly (readonly [keyof Counts, Colour | undefined])[] = [
  ['running', 'cyan'],
  ['failed', 'red'],
  ['cancelled', 'yellow'],
  ['skipped', 'yellow'],
];
const BAR_CELLS = 20;

export interface ProgressStyle {
  readonly bar: boolean;
  readonly colour: boolean;
}

/** `job 12  ━━━━━━────  40/100, 2 running, 1 failed, 12/s, 5.0s left`. */
export function progressLine(delta: JobDelta, meter: RateMeter, nowMs: number, style: ProgressStyle): string {
  const paint = painter(style.colour);
  const { counts } = delta;
  const size = sizeOf(counts);
  const ended = endedOf(counts);
  const parts = [`${shownCount(ended)}/${shownCount(size)}`];
  for (const [state, colour] of PARTS) {
    const also = state === 'running' ? suspendedText(delta) : '';
    if (counts[state] > 0) parts.push(paint(colour, `${shownCount(counts[state])} ${state}${also}`));
  }
  if (delta.retried > 0) parts.push(paint('yellow', `${shownCount(delta.retried)} retried`));
  if (delta.state === 'held' || delta.state === 'blocked') parts.push(delta.state);
  const rate = meter.perSecond(nowMs);
  const eta = meter.etaMs(size - ended, nowMs);
  if (rate !== undefined && ended < size) parts.push(shownRate(rate));
  if (eta !== undefined) parts.push(`${shownDuration(eta)} left`);
  const full = size === 0 ? 0 : Math.floor((ended / size) * BAR_CELLS);
  const bar = style.bar ? `${paint('green', '━'.repeat(full))}${paint('dim', '─'.repeat(BAR_CELLS - full))}  ` : '';
  return `job ${delta.id}  ${bar}${parts.join(', ')}`;
}
