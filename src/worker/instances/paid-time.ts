import { mayEndForMs, putByMs } from '../../core/cost-end.ts';
import { lastsMs } from '../../core/instance-cost.ts';
import type { InstanceLife } from './instance-life.ts';
import type { ServedInstance } from './served-instance.ts';

/** From TERM to KILL when the machine ends by its own deadline. */
const LAST_RESORT_GRACE_MS = 10_000;
/** The machine itself acts so much later than its agent is to. */
const AFTER_AGENT_MS = 3_000;

/** What is left of the time that is paid for, while an end that begins now goes on, ms: all that it takes is cut to that. */
export function paidTime({ life, place: { clock } }: ServedInstance): () => number {
  const untilMs = clock.bootMs() + paidForMs(life);
  return () => Math.max(0, untilMs - clock.bootMs());
}

/**
 * When the machine itself is to end what is not paid for, with its agent gone, ms: not before that would have acted, and so early that what does
 * not end by itself is killed in time. Infinity: never.
 *
 * @param isEnding its agent has begun to
 */
export function brokeInMs(life: InstanceLife, isEnding: boolean): number {
  const { costShare, order, time } = life;
  if (costShare === undefined || order.rate === 0 || !time.runs) return Number.POSITIVE_INFINITY;
  const leftMs = paidForMs(life);
  if (isEnding) return leftMs + AFTER_AGENT_MS;
  const putBy = Math.min(putByMs(lastsMs(costShare, order.rate), life.endMs), LAST_RESORT_GRACE_MS + AFTER_AGENT_MS);
  // Of what is put by for the end, half is left for it at least.
  return Math.max(0, leftMs - putBy) + Math.min(AFTER_AGENT_MS, putBy / 2);
}

/** From TERM to KILL when the machine ends itself so long from now: what is paid for behind it. Undefined: as long as it likes. */
export function lastGraceMs(life: InstanceLife, deadlineInMs: number): number | undefined {
  const paidMs = Math.max(0, paidForMs(life) - deadlineInMs);
  return paidMs < LAST_RESORT_GRACE_MS ? paidMs : undefined;
}

function paidForMs(life: InstanceLife): number {
  life.pass();
  return mayEndForMs(life.costShare, life.order.rate, life.time.ranMs);
}
