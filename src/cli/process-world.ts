import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { isatty, type WriteStream } from 'node:tty';
import { readSettings, type Settings } from '../config/settings.ts';
import { settingsPath } from '../config/settings-path.ts';
import type { Client } from './client.ts';
import type { Sink, World } from './world.ts';

const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** What a shell shows of a program that SIGPIPE (13) ended. */
const BROKEN_PIPE = 141;

/** This process, its terminal and its user's coordinator. */
export async function processWorld(): Promise<World> {
  const ownEnv = { ...process.env };
  const { env, fault } = await readFileToo(ownEnv);
  let settings: Settings | undefined;
  let client: Promise<Client> | undefined;
  const getSettings = (): Settings => {
    if (fault !== undefined) throw fault;
    settings ??= readSettings(env, process.getuid?.() ?? 0);
    return settings;
  };
  const announce = (line: string): void => world.stderr.write(`${line}\n`);
  const world: World = {
    env,
    ownEnv,
    cwd: process.cwd(),
    umask: process.umask(),
    userName,
    stdin: { isTTY: isatty(0), read: readStdin, lines: readLines },
    stdout: sink(1, () => process.stdout, env),
    stderr: sink(2, () => process.stderr, env),
    ask,
    now: Date.now,
    every,
    pause,
    connect: (silent = false) => {
      const say = silent ? () => {} : announce;
      client ??= import('./connect.ts').then(({ connect }) => connect(getSettings(), say));
      return client;
    },
    connectIfRunning: async () => {
      const { connectIfRunning } = await import('./connect.ts');
      return connectIfRunning(getSettings());
    },
    server: async () => (await import('./server-control.ts')).serverControl(getSettings()),
    enter: async (what) => (await import('./connect-instance-program.ts')).enterInstance(getSettings(), what),
    onInterrupt,
    // Why there is none was told to the command that asked for it.
    close: async () => (await client?.catch(() => undefined))?.close(),
  };
  return world;
}

/**
 * The environment with the settings of the file, where there is one. A file that is wrong is no fault of a command that needs
 * no coordinator, `spawn config` above all.
 */
async function readFileToo(own: NodeJS.ProcessEnv): Promise<{ env: World['env']; fault?: unknown }> {
  const path = settingsPath(own);
  if (!existsSync(path)) return { env: own };
  const { readSettingsFile, withSettings } = await import('../config/settings-file.ts');
  try {
    const env = withSettings(own, readSettingsFile(path));
    // A coordinator that this command starts reads some of them too.
    Object.assign(process.env, env);
    return { env };
  } catch (fault) {
    return { env: own, fault };
  }
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // In containers a user may have a number and no name.
    return String(process.getuid?.() ?? 0);
  }
}

/** The stream is made when it is first written to: most commands need only one of the two, and each costs start time. */
function sink(fd: 1 | 2, open: () => WriteStream, env: World['env']): Sink {
  const isTTY = isatty(fd);
  let stream: WriteStream | undefined;
  const get = (): WriteStream => {
    if (stream === undefined) {
      stream = open();
      stream.on('error', onWriteError);
    }
    return stream;
  };
  return {
    isTTY,
    get columns() {
      return (isTTY && get().columns) || DEFAULT_COLUMNS;
    },
    get rows() {
      return (isTTY && get().rows) || DEFAULT_ROWS;
    },
    colour: isTTY && !env.NO_COLOR && env.TERM !== 'dumb',
    write: (data) => {
      get().write(data);
    },
  };
}

/** Whoever reads has enough (`spawn jobs | head -1`): that is no error, and there is nobody to tell more. */
function onWriteError(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(BROKEN_PIPE);
  throw error;
}

async function ask(question: string): Promise<string> {
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-D answers nothing, and must not wait for ever.
  const closed = new Promise<undefined>((resolve) => lines.once('close', () => resolve(undefined)));
  try {
    const answer = await Promise.race([lines.question(question), closed]);
    // What comes next begins a line of its own.
    if (answer === undefined) process.stderr.write('\n');
    return answer ?? '';
  } finally {
    lines.close();
  }
}

async function readStdin(limit: number): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of process.stdin as AsyncIterable<Uint8Array>) {
    length += piece.length;
    if (length > limit) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

async function* readLines(prompt: string): AsyncGenerator<string> {
  const { createInterface } = await import('node:readline');
  const asks = isatty(0);
  const lines = createInterface({ input: process.stdin, ...(asks ? { output: process.stdout, prompt } : {}) });
  try {
    if (asks) lines.prompt();
    for await (const line of lines) {
      yield line;
      if (asks) lines.prompt();
    }
  } finally {
    lines.close();
  }
}

function every(ms: number, tick: () => void): () => void {
  const timer = setInterval(tick, ms);
  return () => clearInterval(timer);
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  for (let left = ms; left > 0 && !signal.aborted; left -= LONGEST_TIMER_MS) {
    await new Promise<void>((resolve) => {
      const stop = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', stop);
        resolve();
      };
      const timer = setTimeout(stop, Math.min(left, LONGEST_TIMER_MS));
      signal.addEventListener('abort', stop);
    });
  }
}

function onInterrupt(listener: (exitCode: number) => void): () => void {
  const onInt = (): void => listener(130);
  const onTerm = (): void => listener(143);
  process.once('SIGINT', onInt);
  process.once('SIGTERM', onTerm);
  return () => {
    process.off('SIGINT', onInt);
    process.off('SIGTERM', onTerm);
  };
}
