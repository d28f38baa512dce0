import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One process for ever: numbers are given again. Two of them are the same one when all fields are equal. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: number;
  readonly bootId: string;
}

/** An agent that was started here, and once known the process under which its tasks run. */
export interface InstanceRecord extends ProcessIdentity {
  readonly forker?: ProcessIdentity;
}

/**
 * What outlives the coordinator of the agents it started: one file for each, `<id>.json`. Only this process writes them, so
 * it remembers them too: their end must be seen also when somebody removed the files.
 */
export interface InstanceRecords {
  ids(): string[];
  read(id: string): InstanceRecord | undefined;
  write(id: string, record: InstanceRecord): void;
  remove(id: string): void;
}

/** @param dir private to the user; made if there is none */
export function openInstanceRecords(dir: string): InstanceRecords {
  const pathOf = (id: string) => join(dir, `${id}.json`);
  const known = new Map<string, InstanceRecord>();
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  for (const id of namesIn(dir)) {
    const record = readFile(pathOf(id));
    if (record !== undefined) known.set(id, record);
  }
  return {
    ids: () => [...known.keys()],
    read: (id) => known.get(id),
    write(id, record) {
      known.set(id, record);
      const draft = join(dir, `${id}.tmp`);
      try {
        // Renamed into place, as a command that stops everything may read it at this moment.
        writeFileSync(draft, JSON.stringify(record), { mode: 0o600 });
        renameSync(draft, pathOf(id));
      } catch {
        // A full disk must not keep the pool from its work. A coordinator after this one learns of the agent by its session.
      }
    },
    remove(id) {
      known.delete(id);
      rmSync(pathOf(id), { force: true });
    },
  };
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir).flatMap((name) => (name.endsWith('.json') ? [name.slice(0, -'.json'.length)] : []));
  } catch {
    return [];
  }
}

function readFile(path: string): InstanceRecord | undefined {
  try {
    return toRecord(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}

function toRecord(value: unknown): InstanceRecord | undefined {
  if (!isIdentity(value)) return undefined;
  const { forker } = value as { forker?: unknown };
  const { pid, startTicks, bootId } = value;
  return { pid, startTicks, bootId, ...(isIdentity(forker) ? { forker } : {}) };
}

function isIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, startTicks, bootId } = value as Record<string, unknown>;
  return Number.isSafeInteger(pid) && Number.isSafeInteger(startTicks) && typeof bootId === 'string';
}
