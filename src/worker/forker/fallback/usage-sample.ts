import { readFileSync } from 'node:fs';

export interface Usage {
  readonly userUs: number;
  readonly systemUs: number;
  readonly maxRssKb: number;
}

export const NO_USAGE: Usage = { userUs: 0, systemUs: 0, maxRssKb: 0 };

/** Linux has told 100 ticks a second to user space on every architecture for decades. */
const TICK_US = 10_000;

/**
 * What a process has used so far, itself and the children it waited for; its peak memory is its own. Node does not tell
 * what a child used after its end, so this is read while it runs; null where there is no /proc or no such process.
 */
export function sampleUsage(pid: number): Usage | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // After the command name, which may hold spaces and parentheses: state is the field 3 of proc(5).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = (field: number) => Number(fields[field - 3]) * TICK_US;
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    return { userUs: ticks(14) + ticks(16), systemUs: ticks(15) + ticks(17), maxRssKb: Number(peak?.[1] ?? 0) };
  } catch {
    return null;
  }
}
