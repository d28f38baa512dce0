import { uptime } from 'node:os';
import type { Clock } from './clock.ts';

/** Node fires timers of a longer time at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The clocks of this machine. */
export const systemClock: Clock = {
  now: Date.now,
  // Linux: CLOCK_BOOTTIME or /proc/uptime, so a suspend counts; 10 ms fine.
  lease: () => uptime() * 1_000,
  steady: () => performance.now(),
  timer(ms, task) {
    const timer = setTimeout(task, Math.min(ms, LONGEST_TIMER_MS));
    return () => clearTimeout(timer);
  },
  soon(task) {
    setImmediate(task);
  },
};
