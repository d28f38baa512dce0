import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, type ProcessIdentity } from '../process-identity.ts';

/** A step that runs, or waits for CPUs: what one file of `live/` says. Other processes of the same user can write there, too. */
export interface StepRecord {
  /** The process that started it, and ends it. */
  readonly owner: ProcessIdentity;
  /** CPUs that it has for itself, by the number of the node in the allocation; empty when it shares them. */
  readonly cpus: Readonly<Record<number, number>>;
  /** Its processes of this machine; each leads a group of its own. */
  readonly ranks: readonly ProcessIdentity[];
}

const MOST_RECORD_BYTES = 4 * 1024 * 1024;
const MOST_LIVE = 20_000;

/** The folder of an attempt's steps below that of the worker's session. */
export function stepFolder(base: string, fence: number): string {
  return join(base, String(fence));
}

/** Where a worker writes the nodes of a gang for `srun` in its first one. */
export function gangFile(folder: string): string {
  return join(folder, 'gang.json');
}

export function livePath(folder: string, step: number): string {
  return join(folder, 'live', `${step}.json`);
}

/** @throws what the system says when it cannot be made */
export function makeStepFolder(folder: string): void {
  for (const path of [folder, join(folder, 'live'), join(folder, 'numbers')]) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  }
}

/** Whole or not at all. */
export function writeRecord(folder: string, step: number, record: StepRecord): void {
  const path = livePath(folder, step);
  writeFileSync(`${path}.${process.pid}`, JSON.stringify(record), { mode: 0o600 });
  renameSync(`${path}.${process.pid}`, path);
}

export function removeRecord(folder: string, step: number): void {
  rmSync(livePath(folder, step), { force: true });
}

/** Steps whose owner lives, by their numbers. */
export function liveSteps(folder: string): ReadonlyMap<number, StepRecord> {
  const live = new Map<number, StepRecord>();
  for (const name of namesIn(join(folder, 'live'))) {
    const number = /^(\d{1,9})\.json$/.exec(name)?.[1];
    if (number === undefined || live.size >= MOST_LIVE) continue;
    const record = readRecord(join(folder, 'live', name));
    if (record !== undefined && isAlive(record.owner)) live.set(Number(number), record);
  }
  return live;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readRecord(path: string): StepRecord | undefined {
  try {
    if (statSync(path).size > MOST_RECORD_BYTES) return undefined;
    const { owner, cpus, ranks } = JSON.parse(readFileSync(path, 'utf8')) as Partial<StepRecord>;
    if (!isIdentity(owner) || !Array.isArray(ranks) || !ranks.every(isIdentity)) return undefined;
    return { owner, cpus: typeof cpus === 'object' && cpus !== null ? cpus : {}, ranks };
  } catch {
    // It ended meanwhile, or is nothing of ours.
    return undefined;
  }
}

function isIdentity(value: unknown): value is ProcessIdentity {
  const { pid, startTicks, bootId } = (value ?? {}) as Partial<ProcessIdentity>;
  return Number.isSafeInteger(pid) && pid! > 1 && typeof startTicks === 'number' && typeof bootId === 'string';
}
