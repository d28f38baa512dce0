import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { readStageManifest } from '../api/stage.ts';
import { SpawnError } from '../core/errors.ts';
import type { WorkerClient } from './client.ts';

const MAX_WORDS = 4_096;
const CLOSED_BY_READER: ReadonlySet<string> = new Set(['EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE']);

export interface StagesOptions {
  /** Of the worker. */
  readonly directory: string;
  /** Of the session. */
  readonly marker: string;
  readonly client: Pick<WorkerClient, 'getBlob'>;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
}

/** Directories that came along with jobs: one of each job here, in which its tasks run. It goes with the job, or with the session. */
export class Stages {
  readonly #options: StagesOptions;
  /** Removals and unpackings of the same name follow each other. */
  readonly #busy = new Map<number, Promise<unknown>>();

  constructor(options: StagesOptions) {
    this.#options = options;
  }

  /**
   * Fetches and unpacks, anew each time; gives where it is. Errors: those of fetching, which may go away; FILE_UNREADABLE for what is no packed
   * directory, or cannot be unpacked here.
   */
  async unpack(jobId: number, hash: string): Promise<string> {
    const path = this.#pathOf(jobId);
    await this.#inTurn(jobId, async () => {
      const manifest = readStageManifest(await this.#fetch(hash));
      if (manifest === undefined) throw broken(hash, 'it lists no pieces');
      await rm(path, { recursive: true, force: true });
      await mkdir(path, { recursive: true, mode: 0o700 });
      await this.#extract(manifest.pieces, path, hash);
      // The archive has a mode for it, too.
      await chmod(path, 0o700);
    });
    return path;
  }

  /** Nothing of the job runs any more. */
  forget(jobId: number): void {
    void this.#inTurn(jobId, () => rm(this.#pathOf(jobId), { recursive: true, force: true }));
  }

  /** Nothing of the session runs any more. */
  async close(): Promise<void> {
    await Promise.all(this.#busy.values());
    await removeStages(this.#options.directory, async (marker) => marker !== this.#options.marker);
  }

  #pathOf(jobId: number): string {
    return join(workFolder(this.#options.directory), `${this.#options.marker}-${jobId}`);
  }

  #inTurn<T>(jobId: number, work: () => Promise<T>): Promise<T> {
    const result = (this.#busy.get(jobId) ?? Promise.resolve()).then(work);
    const settled = result.catch(() => undefined);
    this.#busy.set(jobId, settled);
    void settled.then(() => this.#busy.get(jobId) === settled && this.#busy.delete(jobId));
    return result;
  }

  async #fetch(hash: string): Promise<Uint8Array> {
    const { client, signal } = this.#options;
    const bytes = await client.getBlob(hash, { signal });
    if (createHash('sha256').update(bytes).digest('hex') !== hash) {
      throw new SpawnError('INTERNAL', { why: `blob ${hash} came with other bytes` });
    }
    return bytes;
  }

  async *#fetchAll(hashes: readonly string[]): AsyncGenerator<Uint8Array> {
    for (const hash of hashes) yield await this.#fetch(hash);
  }

  /**
   * tar itself takes care of names that lead out: it leaves out `..` and the root of absolute ones, and makes links that point out only
   * when nothing can be written through them any more.
   */
  async #extract(pieces: readonly string[], path: string, hash: string): Promise<void> {
    const { signal } = this.#options;
    const how = ['--no-same-owner', '--no-same-permissions', '--delay-directory-restore'];
    const tar = spawn('tar', ['--extract', '--file=-', `--directory=${path}`, ...how], {
      stdio: ['pipe', 'ignore', 'pipe'],
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
      signal,
    });
    let words = '';
    tar.stderr.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(0, MAX_WORDS);
    });
    const ended = new Promise<number | null>((resolve, reject) => tar.on('error', reject).on('close', resolve));
    ended.catch(() => undefined);
    let failure: unknown;
    await pipeline(Readable.from(this.#fetchAll(pieces)), createGunzip(), tar.stdin, { signal }).catch(
      (error: unknown) => {
        failure = error;
      },
    );
    const code = await ended.catch((error: Error) => {
      throw signal.aborted ? error : broken(hash, error.message);
    });
    // tar reads no further than the end of the archive, or than the first thing it cannot do.
    const isTars = failure === undefined || CLOSED_BY_READER.has((failure as NodeJS.ErrnoException).code ?? '');
    if (isTars && code === 0) return;
    if (signal.aborted || failure instanceof SpawnError) throw failure ?? signal.reason;
    const said = words.trim().replaceAll('\n', '; ') || `tar ended with exit code ${code}`;
    throw broken(hash, isTars ? said : (failure as Error).message);
  }
}

function broken(hash: string, why: string): SpawnError {
  return new SpawnError('FILE_UNREADABLE', { where: 'the staged directory', path: hash, why });
}

function workFolder(directory: string): string {
  return join(directory, 'work');
}

/** Removes the directories of all sessions but those that are to stay. */
export async function removeStages(directory: string, stays: (marker: string) => Promise<boolean>): Promise<void> {
  for (const name of await readdir(workFolder(directory)).catch(() => [])) {
    const marker = /^(.+)-\d+$/.exec(name)?.[1];
    if (marker !== undefined && (await stays(marker))) continue;
    await rm(join(workFolder(directory), name), { recursive: true, force: true }).catch(() => undefined);
  }
}
