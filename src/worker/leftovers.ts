import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identify, isAlive, type ProcessIdentity } from '../client/node/process-identity.ts';

/** A worker session that runs tasks here, and the process that it belongs to. */
interface SessionRecord extends ProcessIdentity {
  /** What `SPAWN_SESSION` of its tasks is. */
  readonly session: string;
}

/**
 * The sessions that run tasks from one data directory, one file each. A worker that was killed cannot clean up, so the next one that
 * starts here finds its file and kills what its tasks have left. Several workers may share the directory: a living one is left alone.
 */
export class SessionRecords {
  readonly #directory: string;
  readonly #killLeftovers: (session: string) => Promise<unknown>;

  constructor(directory: string, killLeftovers: (session: string) => Promise<unknown>) {
    this.#directory = directory;
    this.#killLeftovers = killLeftovers;
  }

  /** To be called before the first task of the session starts. */
  async open(session: string): Promise<void> {
    const own = identify(process.pid);
    if (own === undefined) return;
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const record: SessionRecord = { ...own, session };
    const draft = join(this.#directory, `${session}.tmp`);
    await writeFile(draft, JSON.stringify(record), { mode: 0o600 });
    await rename(draft, this.#pathOf(session));
  }

  /** To be called when nothing of the session runs any more. */
  async close(session: string): Promise<void> {
    await rm(this.#pathOf(session), { force: true });
  }

  /** Whether a living worker has it. */
  async isLive(session: string): Promise<boolean> {
    const record = await readRecord(this.#pathOf(session));
    return record !== undefined && isAlive(record);
  }

  /** Kills what the sessions of dead workers have left. Returns how many sessions that were. */
  async sweep(): Promise<number> {
    const names = await readdir(this.#directory).catch(() => []);
    let swept = 0;
    for (const name of names) {
      if (!name.endsWith('.json')) continue;
      const record = await readRecord(join(this.#directory, name));
      if (record !== undefined && isAlive(record)) continue;
      if (record !== undefined) await this.#killLeftovers(record.session);
      await rm(join(this.#directory, name), { force: true });
      swept += 1;
    }
    return swept;
  }

  #pathOf(session: string): string {
    return join(this.#directory, `${session}.json`);
  }
}

async function readRecord(path: string): Promise<SessionRecord | undefined> {
  try {
    const value = JSON.parse(await readFile(path, 'utf8')) as Partial<SessionRecord> | null;
    const isWhole = typeof value?.session === 'string' && value.session !== '' && Number.isSafeInteger(value.pid);
    return isWhole ? (value as SessionRecord) : undefined;
  } catch {
    return undefined;
  }
}
