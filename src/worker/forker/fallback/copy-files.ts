import { closeSync, constants, existsSync, fstatSync, mkdirSync, openSync, statSync, writeSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { getSystemErrorMessage } from 'node:util';
import { LogStream } from '../../../core/log-record.ts';
import type { RunCommand } from '../commands.ts';
import { UMASK_INHERIT } from '../protocol.ts';
import { attempt } from './start-failure.ts';
import type { OutputStream } from './tail-ring.ts';

/** Added to also after a truncation, so that tasks that share a file do not write over each other; a FIFO without a reader must not keep us. */
const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NONBLOCK | constants.O_NOCTTY;

/** What a task writes, in files of the user's choice. */
export class CopyFiles {
  readonly #fds = new Map<OutputStream, number>();
  readonly #wanted = new Set<OutputStream>();
  readonly #onEnded: (text: string) => void;
  #lost = 0;

  /** @param onEnded a line about a copy that could not go on */
  constructor(run: RunCommand, onEnded: (text: string) => void) {
    this.#onEnded = onEnded;
    if (run.outputPath === '' && run.errorPath === '') return;
    attempt('cwd', () => statSync(`${run.cwd}/.`));
    const inherited = run.umask === UMASK_INHERIT ? null : process.umask(run.umask & 0o777);
    try {
      attempt('output', () => this.#openAll(run));
    } catch (error) {
      this.close();
      throw error;
    } finally {
      if (inherited !== null) process.umask(inherited);
    }
  }

  get isWanted(): boolean {
    return this.#wanted.size > 0;
  }

  get lostBytes(): number {
    return this.#lost;
  }

  put(stream: OutputStream, bytes: Buffer): void {
    if (!this.#wanted.has(stream)) return;
    for (let at = 0; at < bytes.length; ) {
      const fd = this.#fds.get(stream);
      if (fd === undefined) {
        this.#lost += bytes.length - at;
        return;
      }
      try {
        at += writeSync(fd, bytes, at);
      } catch (error) {
        this.#end(stream, fd, error as NodeJS.ErrnoException);
      }
    }
  }

  close(): void {
    for (const fd of new Set(this.#fds.values())) closeSync(fd);
    this.#fds.clear();
  }

  #openAll({ cwd, outputPath, errorPath, append }: RunCommand): void {
    const wanted = [
      [LogStream.STDOUT, outputPath],
      [LogStream.STDERR, errorPath],
    ] as const;
    for (const [stream, path] of wanted) {
      if (path === '') continue;
      const same = path === outputPath ? this.#fds.get(LogStream.STDOUT) : undefined;
      this.#fds.set(stream, same ?? openCopy(resolve(cwd, path), append));
      this.#wanted.add(stream);
    }
  }

  #end(stream: OutputStream, fd: number, error: NodeJS.ErrnoException): void {
    const streams = [...this.#fds].filter(([, other]) => other === fd).map(([name]) => name);
    for (const name of streams) this.#fds.delete(name);
    closeSync(fd);
    const one = stream === LogStream.STDOUT ? 'stdout' : 'stderr';
    const why = error.errno === undefined ? error.message : getSystemErrorMessage(error.errno);
    this.#onEnded(`... the copy of ${streams.length > 1 ? 'output' : one} to its file ended here: ${why} ...\n`);
  }
}

function openCopy(path: string, append: boolean): number {
  const flags = append ? FLAGS : FLAGS | constants.O_TRUNC;
  const open = () => openSync(path, flags, 0o666);
  let fd: number;
  try {
    fd = open();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    makeFolders(dirname(path));
    fd = open();
  }
  if (!isOurs(fd)) return fd;
  closeSync(fd);
  throw Object.assign(new Error('our own'), { errno: -22, code: 'EINVAL' });
}

/** Not by Node's `recursive`, which never ends below /proc. What cannot be made shows when the file is opened. */
function makeFolders(path: string): void {
  if (path !== dirname(path) && !existsSync(path)) makeFolders(dirname(path));
  try {
    mkdirSync(path, 0o777);
  } catch {
    // It is there, mostly.
  }
}

/** /dev/stdout and the like would be our own: what we say to the worker. */
function isOurs(fd: number): boolean {
  const file = fstatSync(fd);
  if (file.isFile() || file.isCharacterDevice()) return false;
  return [0, 1, 2].some((number) => {
    const own = fstatSync(number);
    return own.dev === file.dev && own.ino === file.ino;
  });
}
