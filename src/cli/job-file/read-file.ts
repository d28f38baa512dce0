import { closeSync, openSync, readSync } from 'node:fs';
import { dirname, extname, resolve } from 'node:path';
import type { JobFile } from '../../api/job-file.ts';
import { MAX_BLOB_BYTES } from '../../api/limits.ts';
import { SpawnError } from '../../core/errors.ts';
import { isOwnVariable } from '../own-variables.ts';
import type { World } from '../world.ts';

/** A job file as read, and where its relative paths begin. */
export interface GivenFile {
  /** As errors call it. */
  readonly path: string;
  readonly directory: string;
  readonly file: JobFile;
}

const ENDINGS = ['.yaml', '.yml', '.json'];
const HASH_BANG = '#!';

/** Whether a file is a job file: its name ends so, and it is no script that names its interpreter. */
export function isJobFile(path: string, cwd: string): boolean {
  return ENDINGS.includes(extname(path).toLowerCase()) && firstCharacters(resolve(cwd, path)) !== HASH_BANG;
}

function firstCharacters(path: string): string | undefined {
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(HASH_BANG.length);
      return bytes.toString('latin1', 0, readSync(file, bytes));
    } finally {
      closeSync(file);
    }
  } catch {
    // What is wrong with it is said by whoever reads it.
    return undefined;
  }
}

/**
 * Reads a job file, or standard input for `-`.
 * @param where the command, as errors call it
 * @param params values of parameters, over those of the file
 * @throws SpawnError FILE_NOT_FOUND, FILE_UNREADABLE, USAGE, BAD_JOB_FILE with all that is wrong
 */
export async function readGivenFile(
  where: string,
  path: string,
  world: Pick<World, 'cwd' | 'env' | 'stdin'>,
  params: Readonly<Record<string, string>> = {},
): Promise<GivenFile> {
  const { readTextFile } = await import('../../config/text-document.ts');
  const isInput = path === '-';
  const absolute = resolve(world.cwd, path);
  const text = isInput ? await readInput(where, world) : readTextFile(where, path, absolute);
  const shown = isInput ? '(standard input)' : path;
  return readGivenText(shown, text, isInput ? world.cwd : dirname(absolute), world, params);
}

/** As `readGivenFile`, of a text. @param directory where its relative paths begin */
export async function readGivenText(
  path: string,
  text: string,
  directory: string,
  { env }: Pick<World, 'env'>,
  params: Readonly<Record<string, string>> = {},
): Promise<GivenFile> {
  // Loaded here only: YAML and the contract are slow to load.
  const { readJobFile } = await import('../../config/job-file/read-job-file.ts');
  return { path, directory, file: readJobFile(path, text, { env, params, refusedVariable }) };
}

function refusedVariable(name: string): string | undefined {
  return isOwnVariable(name) ? 'a variable that spawn does not set for each task' : undefined;
}

async function readInput(where: string, { stdin }: Pick<World, 'stdin'>): Promise<string> {
  const usage = (message: string) => new SpawnError('USAGE', { message: `${where}: ${message}` });
  if (stdin.isTTY) throw usage('expected a job file on standard input, found a terminal');
  const bytes = await stdin.read(MAX_BLOB_BYTES);
  if (bytes === undefined) throw usage(`expected at most ${MAX_BLOB_BYTES} bytes on standard input, found more`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    const why = 'it is not UTF-8 text';
    throw new SpawnError('FILE_UNREADABLE', { where, path: '(standard input)', why }, { cause });
  }
}

/** Reads `NAME=VALUE` of `--param`. */
export function parameter(text: string, where: string): readonly [string, string] {
  const equals = text.indexOf('=');
  const name = text.slice(0, Math.max(equals, 0));
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    throw new SpawnError('BAD_REQUEST', {
      where,
      expected: 'NAME=VALUE, NAME that of a parameter of the file',
      found: text,
    });
  }
  return [name, text.slice(equals + 1)];
}
