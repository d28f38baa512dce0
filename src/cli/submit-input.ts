import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { MAX_ARGV_BYTES, MAX_BLOB_BYTES } from '../api/limits.ts';
import { checkScript, readScriptFile } from '../config/read-script.ts';
import { isSpawnError, SpawnError } from '../core/errors.ts';
import { isOwnVariable } from './own-variables.ts';
import { seeHelp } from './parse-command-line.ts';
import type { World } from './world.ts';

/** What the tasks will run, as the command line says it; a script is still here and not with the coordinator. */
export type Work =
  | { readonly kind: 'argv'; argv: string[] }
  | { readonly kind: 'shell'; readonly text: string }
  | { readonly kind: 'script'; readonly name: string; readonly bytes: Uint8Array; args: string[] };

function usage(message: string): never {
  throw new SpawnError('USAGE', { message: `submit: ${message}` });
}

/**
 * Decides between the four ways to say what to run.
 * @param operands the script and its arguments
 * @param rest what follows `--`
 * @param command of `--command`
 */
export async function readRun(
  operands: readonly string[],
  rest: readonly string[] | undefined,
  command: string | undefined,
  world: Pick<World, 'cwd' | 'stdin'>,
): Promise<Work> {
  if (command !== undefined) {
    const other = operands[0] ?? rest?.[0];
    if (other !== undefined || rest !== undefined)
      usage(`expected --command alone, found ${JSON.stringify(other ?? '--')} too`);
    return { kind: 'shell', text: command };
  }
  if (rest !== undefined) {
    if (rest.length === 0 || rest[0] === '') usage('expected a program after "--", found nothing');
    checkArguments(rest);
    return { kind: 'argv', argv: [...rest] };
  }
  const [path, ...args] = operands;
  if (path === undefined || path === '-') return { kind: 'script', ...(await readScriptInput(world)), args };
  checkArguments(args);
  return { kind: 'script', ...readScript(path, world.cwd), args };
}

function readScript(path: string, cwd: string): { name: string; bytes: Uint8Array } {
  if (path === '') usage('expected SCRIPT, found ""');
  try {
    return readScriptFile(resolve(cwd, path));
  } catch (error) {
    // `submit python train.py` is what one types first; the answer tells how it goes.
    if (isSpawnError(error) && error.code === 'FILE_NOT_FOUND' && !path.includes('/')) {
      const message = `${error.message}; to run a program: spawn submit [options] -- ${path} …`;
      throw new SpawnError('FILE_NOT_FOUND', error.details, { message });
    }
    throw error;
  }
}

async function readScriptInput({ stdin }: Pick<World, 'stdin'>): Promise<{ name: string; bytes: Uint8Array }> {
  if (stdin.isTTY)
    usage(`expected SCRIPT, "-- PROGRAM", --command or a script on standard input, found none${seeHelp('submit')}`);
  const bytes = await stdin.read(MAX_BLOB_BYTES);
  if (bytes === undefined) {
    throw new SpawnError('SCRIPT_TOO_LARGE', {
      path: '(standard input)',
      size: `more than ${MAX_BLOB_BYTES}`,
      max: MAX_BLOB_BYTES,
    });
  }
  checkScript(bytes, 'submit: standard input');
  return { name: 'stdin', bytes };
}

function checkArguments(words: readonly string[]): void {
  const size = words.reduce((sum, word) => sum + Buffer.byteLength(word) + 1, 0);
  if (size > MAX_ARGV_BYTES) usage(`arguments: expected at most ${MAX_ARGV_BYTES} bytes together, found ${size}`);
}

/** The directory that tasks run in; `where` says it. Where the coordinator is on another machine, only that knows whether it is there. */
export function readDirectory(given: string, where: string, world: Pick<World, 'cwd' | 'env'>): string {
  const path = resolve(world.cwd, given);
  if (world.env.SPAWN_SERVER) return path;
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined)
    throw new SpawnError('BAD_REQUEST', { where, expected: 'a directory that exists', found: path });
  if (!stat.isDirectory()) throw new SpawnError('BAD_REQUEST', { where, expected: 'a directory', found: path });
  return path;
}

/** Reads `K=V` or `K`; what `K` alone stands for is looked up in the environment of the command. */
export function envVariable(text: string, where: string) {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  const bad = (expected: string): never => {
    throw new SpawnError('BAD_REQUEST', { where, expected, found: text });
  };
  if (name === '') bad('K=V or K');
  // An object of JSON cannot carry it.
  if (name === '__proto__') bad('another name');
  if (isOwnVariable(name)) bad('a variable that spawn does not set for each task');
  return (env: World['env']): readonly [string, string] => {
    const value = equals < 0 ? (Object.hasOwn(env, name) ? env[name] : undefined) : text.slice(equals + 1);
    return [name, value ?? bad('a variable that is set here, or K=V')];
  };
}
