import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SpawnError } from '../core/errors.ts';
import type { WorkerClient } from './client.ts';
import { parseSnapshot } from './environment.ts';

/** A script on this machine's disk. */
export interface LocalScript {
  readonly path: string;
  /** It names its own interpreter (`#!`), so it is run as a program; otherwise /bin/sh reads it. */
  readonly isProgram: boolean;
}

/**
 * Scripts and environment snapshots by hash: fetched once, kept on disk for later sessions (`scripts/` mode 0700, `env/` mode 0600,
 * in folders that only this user may enter) and, parsed, in memory while this process lives.
 */
export class JobFiles {
  readonly #dataDir: string;
  readonly #client: Pick<WorkerClient, 'getBlob'>;
  readonly #snapshots = new Map<string, Promise<string[]>>();
  readonly #scripts = new Map<string, Promise<LocalScript>>();

  constructor(dataDir: string, client: Pick<WorkerClient, 'getBlob'>) {
    this.#dataDir = dataDir;
    this.#client = client;
  }

  /** `NAME=value` of each variable. */
  snapshot(hash: string): Promise<string[]> {
    return once(this.#snapshots, hash, async () => {
      const { bytes } = await this.#onDisk('env', hash, 0o600);
      return parseSnapshot(bytes);
    });
  }

  script(hash: string): Promise<LocalScript> {
    return once(this.#scripts, hash, async () => {
      const { path, bytes } = await this.#onDisk('scripts', hash, 0o700);
      return { path, isProgram: bytes[0] === 0x23 && bytes[1] === 0x21 };
    });
  }

  /** Bytes that are kept nowhere here. */
  async blob(hash: string): Promise<Uint8Array> {
    const bytes = await this.#client.getBlob(hash);
    if (sha256(bytes) !== hash) throw new SpawnError('INTERNAL', { why: `blob ${hash} came with other bytes` });
    return bytes;
  }

  async #onDisk(folder: string, hash: string, mode: number): Promise<{ path: string; bytes: Uint8Array }> {
    const path = join(this.#dataDir, folder, hash);
    const kept = await readFile(path).catch(() => undefined);
    // A crash may have left a file with the right name and not all of its bytes.
    if (kept !== undefined && sha256(kept) === hash) return { path, bytes: kept };
    const bytes = await this.blob(hash);
    await mkdir(join(this.#dataDir, folder), { recursive: true, mode: 0o700 });
    const draft = `${path}.${randomBytes(6).toString('hex')}`;
    try {
      await writeFile(draft, bytes, { mode, flag: 'wx' });
      // The umask must not take away what the mode gives.
      await chmod(draft, mode);
      await rename(draft, path);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
    return { path, bytes };
  }
}

/** One call at a time for each key; one that failed is tried again by the next who asks. */
function once<T>(memory: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  let value = memory.get(key);
  if (value === undefined) {
    value = make();
    memory.set(key, value);
    value.catch(() => memory.delete(key));
  }
  return value;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
