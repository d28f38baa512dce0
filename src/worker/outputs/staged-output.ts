import { mkdirSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TaskOutput } from '../calls/task-output.ts';
import type { OutputFile } from '../records/results.ts';
import { hashFile } from './file-hash.ts';
import { confined } from './output-name.ts';

/** Of one task. */
const MOST_FILES = 10_000;

/** Where the files of a task belong, and where they are kept until they are finished. */
export interface OutputTarget {
  /** A directory of the attempt. */
  readonly stage: string;
  /** Before the stage is made. Throws what the system says. */
  prepare(): void;
  /** Puts a finished file in its place, whole. */
  publish(name: string, path: string): Promise<{ readonly size: number; readonly sha256: string }>;
  /** All of them are there. */
  finish(names: readonly string[]): Promise<void>;
  /** Nothing of the attempt is left in the stage. Never rejects. */
  clear(): Promise<void>;
}

/** The output of one attempt: a directory that it fills, what it has emitted, and its standard output where that is a file. */
export class StagedOutput implements TaskOutput {
  readonly #target: OutputTarget;
  /** What the file of standard output is called; undefined: it is none. */
  readonly #stdoutName: string | undefined;
  readonly #mode: number;
  #drafts = 0;

  /** @param umask of the task */
  constructor(target: OutputTarget, stdoutName: string | undefined, umask: number) {
    this.#target = target;
    this.#stdoutName = stdoutName;
    this.#mode = 0o666 & ~umask;
  }

  /** What `SPAWN_OUTPUT_DIR` is. */
  get folder(): string {
    return join(this.#target.stage, 'files');
  }

  /** Gets a copy of standard output. */
  get stdoutPath(): string | undefined {
    return this.#stdoutName === undefined ? undefined : join(this.#target.stage, 'stdout');
  }

  /** Makes the directory. Throws what the system says. */
  open(): void {
    this.#target.prepare();
    retrying(() => mkdirSync(this.folder, { recursive: true }));
  }

  async add(name: string, bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<OutputFile> {
    const path = join(this.folder, confined(name, 'emit'));
    this.#drafts += 1;
    const draft = join(this.#target.stage, `draft-${this.#drafts}`);
    try {
      await makeFolder(this.#target.stage);
      const file = await open(draft, 'wx');
      try {
        for await (const piece of bytes) await file.writeFile(piece);
        // The worker's own umask keeps others out.
        await file.chmod(this.#mode);
      } finally {
        await file.close();
      }
      const found = await hashFile(draft);
      await makeFolder(dirname(path));
      await rename(draft, path);
      return { name, ...found };
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  }

  async publish(): Promise<readonly OutputFile[]> {
    const names: string[] = [];
    await this.#list('', names);
    const stdout = this.stdoutPath;
    const files: OutputFile[] = [];
    for (const name of names.toSorted()) {
      files.push({ name, ...(await this.#target.publish(name, join(this.folder, name))) });
    }
    if (stdout !== undefined && (await exists(stdout))) {
      const name = confined(this.#stdoutName!, 'output.name');
      files.push({ name, ...(await this.#target.publish(name, stdout)) });
    }
    await this.#target.finish(files.map(({ name }) => name));
    await this.discard();
    return files;
  }

  async discard(): Promise<void> {
    await this.#target.clear();
  }

  /** Everything must be a file, before the first one is put in its place. */
  async #list(below: string, names: string[]): Promise<void> {
    for (const entry of await readdir(join(this.folder, below), { withFileTypes: true })) {
      const name = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) await this.#list(name, names);
      else if (entry.isFile()) names.push(confined(name, 'a file in SPAWN_OUTPUT_DIR'));
      else throw new Error(`SPAWN_OUTPUT_DIR/${name}: expected a file, found ${kindOf(entry)}`);
      if (names.length > MOST_FILES)
        throw new Error(`SPAWN_OUTPUT_DIR: expected at most ${MOST_FILES} files, found more`);
    }
  }
}

function kindOf(entry: { isSymbolicLink(): boolean; isFIFO(): boolean; isSocket(): boolean }): string {
  if (entry.isSymbolicLink()) return 'a symbolic link';
  return entry.isFIFO() ? 'a pipe' : entry.isSocket() ? 'a socket' : 'a device';
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

async function makeFolder(path: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await mkdir(path, { recursive: true });
      return;
    } catch (error) {
      if (!mayGoAway(error, tries)) throw error;
    }
  }
}

function retrying(work: () => void): void {
  for (let tries = 1; ; tries++) {
    try {
      work();
      return;
    } catch (error) {
      if (!mayGoAway(error, tries)) throw error;
    }
  }
}

/** The last attempt that leaves takes the folder above along, perhaps at this moment. */
function mayGoAway(error: unknown, tries: number): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT' && tries < 10;
}
