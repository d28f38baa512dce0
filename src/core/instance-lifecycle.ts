import { putByMs } from './cost-end.ts';
import { formatDuration } from './duration.ts';
import { costOf, lastsMs } from './instance-cost.ts';
import type { TtlMode } from './instance-time.ts';

/** Why an instance rests or ends. */
export type LifecycleReason =
  | 'user'
  | 'completed'
  | 'ttl'
  | 'cost-limit'
  | 'budget'
  | 'idle'
  | 'interrupted'
  | 'lost'
  | 'launch-failed'
  | 'array-failed'
  | 'resized'
  | 'replaced'
  | 'cancelled';

export type RestAction = 'stop' | 'hibernate' | 'terminate';
export type WarningKind = 'ttl' | 'cost' | 'idle' | 'interrupt';

/** What was asked of an instance when it was launched, or since. */
export interface LifecycleSettings {
  readonly ttlMode: TtlMode;
  /** 0: never idle. */
  readonly idleTimeoutMs: number;
  readonly onIdle: RestAction;
  readonly onComplete: RestAction | 'none';
  /** Failed attempts are followed by others: a failure is final only when `done` says so. */
  readonly retries: boolean;
  /** USD an hour while it runs. */
  readonly rate: number;
}

/** How an instance is now. */
export interface LifecycleFacts {
  /** `ending`: it was told to stop or to end, and that is under way. */
  readonly state: 'running' | 'hibernated' | 'ending';
  readonly wanted: 'running' | 'stopped' | 'hibernated' | 'terminated';
  readonly reason: LifecycleReason | undefined;
  /** Until it is taken away; undefined: nobody announced that. */
  readonly interruptInMs: number | undefined;
  /** The signal of `spored complete`. */
  readonly completion: 'success' | 'failed' | undefined;
  /** How the last attempt at its task ended, by the task's own doing; undefined while one runs. */
  readonly ended: 'success' | 'failed' | undefined;
  /** Nothing comes after: its task has ended for good. */
  readonly done: boolean;
  /** It was started again after it had rested because of its completion. */
  readonly completionServed: boolean;
  readonly ranMs: number;
  readonly ttlLeftMs: number | undefined;
  readonly ttlSpanMs: number;
  /** USD that it may spend over its life; undefined: no limit. */
  readonly costShare: number | undefined;
  /** From the decision until nothing of it runs, at most: its pre-stop command, and the time from TERM to KILL. It is charged until then. */
  readonly endMs: number;
  /** Undefined while nothing was measured. */
  readonly idleMs: number | undefined;
  /** Warnings given, of those that still hold. */
  readonly warned: ReadonlySet<WarningKind>;
}

export interface LifecycleWarning {
  readonly kind: WarningKind;
  readonly text: string;
}

export interface Decision {
  readonly act: 'nothing' | 'thaw' | RestAction;
  readonly reason: LifecycleReason | undefined;
  /** To be given now; each once for each time that its mark is crossed. */
  readonly warnings: readonly LifecycleWarning[];
  /** Warnings that hold: the next `warned`. */
  readonly holding: ReadonlySet<WarningKind>;
  /** Nothing changes by time alone before so many ms; Infinity: never. */
  readonly nextInMs: number;
}

const TTL_WARNING_MS = 300_000;
const TTL_WARNING_PART = 0.1;
const COST_WARNING_PART = 0.9;
const IDLE_WARNING_PART = 0.8;

/**
 * What an instance does now: what its user or its provider wants before all, then its completion, its TTL, its cost limit, and that it is idle. The first that
 * applies decides. One that is ending is left alone.
 */
export function decide(settings: LifecycleSettings, facts: LifecycleFacts): Decision {
  if (facts.state === 'ending') return quiet(facts);
  const marks = marksOf(settings, facts);
  const due = dueNow(settings, facts, marks);
  const crossed = marks.filter(({ warnInMs }) => warnInMs <= 0);
  const holding = new Set(crossed.map(({ kind }) => kind));
  if (due !== undefined) return { ...due, warnings: [], holding, nextInMs: Number.POSITIVE_INFINITY };
  const warnings = crossed.flatMap(({ kind, text }) => (facts.warned.has(kind) ? [] : [{ kind, text: text() }]));
  const moments = marks.flatMap(({ warnInMs, actInMs }) => [warnInMs, actInMs]);
  const nextInMs = Math.min(Number.POSITIVE_INFINITY, ...moments.filter((inMs) => inMs > 0));
  return { act: 'nothing', reason: undefined, warnings, holding, nextInMs };
}

function quiet({ warned }: LifecycleFacts): Decision {
  return { act: 'nothing', reason: undefined, warnings: [], holding: warned, nextInMs: Number.POSITIVE_INFINITY };
}

/** A moment that comes by time alone, and the one at which it is announced; 0 and below: it has come. */
interface Mark {
  readonly kind: WarningKind;
  readonly warnInMs: number;
  readonly actInMs: number;
  readonly text: () => string;
}

type Due = { readonly act: 'thaw' | RestAction; readonly reason: LifecycleReason | undefined };

function dueNow(settings: LifecycleSettings, facts: LifecycleFacts, marks: readonly Mark[]): Due | undefined {
  const isPast = (wanted: WarningKind) => marks.some(({ kind, actInMs }) => kind === wanted && actInMs <= 0);
  if (facts.wanted === 'terminated') return { act: 'terminate', reason: facts.reason ?? 'user' };
  if (isPast('interrupt')) return { act: 'terminate', reason: 'interrupted' };
  if (facts.wanted === 'stopped') return { act: 'stop', reason: facts.reason ?? 'user' };
  const rests = facts.state === 'hibernated';
  if (facts.wanted === 'hibernated' && !rests) return { act: 'hibernate', reason: facts.reason ?? 'user' };
  if (!rests && settings.onComplete !== 'none' && isComplete(settings, facts)) {
    return { act: settings.onComplete, reason: 'completed' };
  }
  // Before it would run again: what has no time or money left must not.
  if (isPast('ttl')) return { act: 'terminate', reason: 'ttl' };
  if (isPast('cost')) return { act: 'terminate', reason: 'cost-limit' };
  if (isPast('idle')) return { act: settings.onIdle, reason: 'idle' };
  return rests && facts.wanted === 'running' ? { act: 'thaw', reason: undefined } : undefined;
}

function isComplete({ retries }: LifecycleSettings, facts: LifecycleFacts): boolean {
  if (facts.completionServed) return false;
  if (facts.done) return true;
  const how = facts.completion ?? facts.ended;
  return how === 'success' || (how === 'failed' && !retries);
}

function marksOf(settings: LifecycleSettings, facts: LifecycleFacts): Mark[] {
  const marks: Mark[] = [];
  const { ttlLeftMs, costShare, idleMs, interruptInMs } = facts;
  const runs = facts.state === 'running';
  if (interruptInMs !== undefined) {
    const text = () => `it is taken away in ${inWords(interruptInMs)}`;
    marks.push({ kind: 'interrupt', warnInMs: 0, actInMs: interruptInMs, text });
  }
  // Where its time stands still only what has passed already counts.
  if (ttlLeftMs !== undefined && (runs || settings.ttlMode === 'wall' || ttlLeftMs <= 0)) {
    const aheadMs = Math.min(TTL_WARNING_MS, facts.ttlSpanMs * TTL_WARNING_PART);
    const text = () => `it is terminated in ${inWords(ttlLeftMs)}: its TTL ends`;
    marks.push({ kind: 'ttl', warnInMs: ttlLeftMs - aheadMs, actInMs: ttlLeftMs, text });
  }
  if (costShare !== undefined && runs) marks.push(costMark(settings, facts, costShare));
  if (settings.idleTimeoutMs > 0 && idleMs !== undefined && runs) {
    const { idleTimeoutMs, onIdle } = settings;
    const actInMs = idleTimeoutMs - idleMs;
    const words = { stop: 'stopped', hibernate: 'hibernated', terminate: 'terminated' };
    const text = () => `idle for ${inWords(idleMs)}: it is ${words[onIdle]} in ${inWords(actInMs)}`;
    marks.push({ kind: 'idle', warnInMs: idleTimeoutMs * IDLE_WARNING_PART - idleMs, actInMs, text });
  }
  return marks;
}

/** It acts so much earlier that its end is paid for as well. */
function costMark({ rate }: LifecycleSettings, { ranMs, endMs }: LifecycleFacts, share: number): Mark {
  const shareMs = lastsMs(share, rate);
  const lifeMs = shareMs - putByMs(shareMs, endMs);
  const actInMs = lifeMs - ranMs;
  const text = () =>
    `it has cost $${costOf(ranMs, rate).toFixed(4)} of $${share.toFixed(4)}: it is terminated in ${inWords(actInMs)}`;
  return { kind: 'cost', warnInMs: lifeMs * COST_WARNING_PART - ranMs, actInMs, text };
}

/** Whole seconds, once there are some. */
function inWords(ms: number): string {
  return formatDuration(ms >= 1_000 ? Math.floor(ms / 1_000) * 1_000 : Math.max(1, Math.ceil(ms)));
}
