import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createGzip } from 'node:zlib';
import { MAX_BLOB_BYTES, MAX_STAGE_BYTES } from '../api/limits.ts';
import { SpawnError } from '../core/errors.ts';

/** Names what stays behind, a pattern a line, as tar(1) reads it with --exclude-from. */
const IGNORE_FILE = '.spawnignore';
/** Of what tar says when it fails. */
const MAX_WORDS = 4_096;

export interface PackOptions {
  /** How errors call the directory. */
  readonly where: string;
  /** Default 16 MiB. */
  readonly pieceBytes?: number;
  /** Default 2 GiB. */
  readonly mostBytes?: number;
}

/**
 * A directory as tar and gzip, in pieces of the same size, the last one excepted. The same names, modes, times and contents always give the same
 * bytes. `.git` stays behind, and what `.spawnignore` names.
 *
 * @throws BAD_REQUEST, FILE_UNREADABLE
 */
export async function* packDirectory(directory: string, options: PackOptions): AsyncGenerator<Uint8Array> {
  const { where, pieceBytes = MAX_BLOB_BYTES, mostBytes = MAX_STAGE_BYTES } = options;
  const tar = spawn('tar', tarArguments(directory), {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Whatever the user has set for tar must not change what is packed.
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
  });
  const ended = endOf(tar, directory, where);
  // It is waited for below; a reader that leaves early must not make it an unhandled one.
  ended.catch(() => undefined);
  const packed = tar.stdout.pipe(createGzip());
  let gathered: Buffer[] = [];
  let size = 0;
  let total = 0;
  try {
    for await (const chunk of packed as AsyncIterable<Buffer>) {
      total += chunk.length;
      if (total > mostBytes) {
        const expected = `at most ${mostBytes} bytes when packed (${IGNORE_FILE} leaves out what is not needed)`;
        throw new SpawnError('BAD_REQUEST', { where, expected, found: `more in ${directory}` });
      }
      let rest = chunk;
      while (size + rest.length >= pieceBytes) {
        const room = pieceBytes - size;
        yield Buffer.concat([...gathered, rest.subarray(0, room)]);
        rest = rest.subarray(room);
        gathered = [];
        size = 0;
      }
      if (rest.length > 0) gathered.push(rest);
      size += rest.length;
    }
    await ended;
    if (size > 0) yield Buffer.concat(gathered);
  } finally {
    tar.kill();
    packed.destroy();
  }
}

function tarArguments(directory: string): string[] {
  const ignored = join(directory, IGNORE_FILE);
  return [
    '--create',
    '--file=-',
    '--format=gnu',
    '--sort=name',
    '--numeric-owner',
    '--owner=0',
    '--group=0',
    // Who unpacks it must be able to remove it.
    '--mode=u+rwX',
    `--directory=${directory}`,
    '--exclude=.git',
    ...(existsSync(ignored) ? [`--exclude-from=${ignored}`] : []),
    '--',
    '.',
  ];
}

/** Resolves when tar has packed everything. */
function endOf(tar: ChildProcess, directory: string, where: string): Promise<void> {
  let words = '';
  tar.stderr!.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(0, MAX_WORDS);
  });
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown) =>
      reject(new SpawnError('FILE_UNREADABLE', { where, path: directory, why }, { cause }));
    tar.on('error', (error: NodeJS.ErrnoException) => {
      fail(error.code === 'ENOENT' ? 'the program tar, which packs it, was not found' : error.message, error);
    });
    tar.on('close', (code, signal) => {
      if (code === 0) resolve();
      else fail(words.trim().replaceAll('\n', '; ') || `tar ended with ${signal ?? `exit code ${code}`}`);
    });
  });
}
