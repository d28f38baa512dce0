import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';

/** Before anything of the benchmark ran: how much else the machine was doing. */
const loadBefore = Math.round(loadavg()[0]! * 100) / 100;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Value at a share of the sorted values, 0.99 for p99. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

/** Keeps a result beside those of other questions: what was asked, on what machine, and every figure. */
export function report(question: string, figures: Record<string, unknown>): void {
  const result = {
    question,
    at: new Date().toISOString(),
    node: process.version,
    kernel: release(),
    cpu: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
    'load average before it': loadBefore,
    command: `node ${process.argv.slice(1).join(' ').replace(process.cwd(), '.')}`,
    ...figures,
  };
  const directory = new URL('../results/', import.meta.url);
  mkdirSync(directory, { recursive: true });
  writeFileSync(new URL(`${question}.json`, directory), `${JSON.stringify(result, null, 2)}\n`);
  console.log(JSON.stringify(figures, null, 2));
}
