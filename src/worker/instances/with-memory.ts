import type { TaskEnded } from '../forker/types.ts';

const KILL = 9;
/** A shell says so of a program that it ran. */
const KILLED_CODE = 128 + KILL;
/** A program that loses one of its processes fails soon after, in its own way. */
const SOON_MS = 10_000;

/** What failed because it, or a process of it, was killed for its memory ended by that. @param killedAtMs when that was; 0 = never */
export function withMemory(event: TaskEnded, killedAtMs: number): TaskEnded {
  const { end, cause } = event;
  if (cause !== 'none' || killedAtMs === 0) return event;
  const isKilled = end.kind === 'signalled' ? end.signal === KILL : end.code === KILLED_CODE;
  const hasFailed = end.kind === 'signalled' || end.code !== 0;
  const isSoon = performance.now() - killedAtMs < SOON_MS;
  return isKilled || (hasFailed && isSoon) ? { ...event, cause: 'memory' } : event;
}
