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

/** What outlives the coordinator of the agents it started: one file for each, `<id>.json`. */
export interface InstanceRecords {
  ids(): string[];
  read(id: string): InstanceRecord | undefined;
  write(id: string, record: InstanceRecord): void;
  remove(id: string): void;
}

/** @param dir private to the user; made when it is first needed */
export function openInstanceRecords(dir: string): InstanceRecords {
  const pathOf = (id: string) => join(dir, `${id}.json`);
  return {
    ids() {
      try {
        return readdirSync(dir).flatMap((name) => (name.endsWith('.json') ? [name.slice(0, -'.json'.length)] : []));
      } catch {
        return [];
      }
    },
    read(id) {
      try {
        return toRecord(JSON.parse(readFileSync(pathOf(id), 'utf8')));
      } catch {
        return undefined;
      }
    },
    write(id, record) {
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      // Renamed into place, as a command that stops everything may read it at this moment.
      const draft = join(dir, `${id}.tmp`);
      writeFileSync(draft, JSON.stringify(record), { mode: 0o600 });
      renameSync(draft, pathOf(id));
    },
    remove(id) {
      rmSync(pathOf(id), { force: true });
    },
  };
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
