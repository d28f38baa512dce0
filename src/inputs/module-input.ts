import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SpawnError } from '../core/errors.ts';
import { badInput } from './refuse.ts';

/** What `plan` and `open` of a module are given beside their first argument. */
export interface ModuleContext {
  readonly signal: AbortSignal;
  /** Directory of the job. */
  readonly cwd: string;
}

/** An input of the user's own. */
export interface InputModule {
  /** The parts, any JSON value each, of the `options` of the input. */
  plan(options: unknown, context: ModuleContext): AsyncIterable<unknown> | Iterable<unknown>;
  /** The records of a part. */
  open(part: unknown, context: ModuleContext): AsyncIterable<unknown> | Iterable<unknown>;
}

const ENDINGS = /\.(?:ts|mts|js|mjs)$/;

/** Loads a module with `plan` and `open`; its path is relative to the directory of the job. */
export async function loadInputModule(module: string, cwd: string): Promise<InputModule> {
  const path = resolve(cwd, module);
  if (!ENDINGS.test(path))
    throw badInput('input.module', 'a path that ends in .ts, .mts, .js or .mjs', JSON.stringify(module));
  await access(path).catch((error: NodeJS.ErrnoException) => {
    throw new SpawnError('FILE_UNREADABLE', { path, where: 'input.module', why: error.code ?? error.message });
  });
  const loaded: Record<string, unknown> = await import(pathToFileURL(path).href).catch((error: Error) => {
    throw badInput(path, 'a module that loads', `${error.name}: ${error.message}`);
  });
  for (const name of ['plan', 'open'])
    if (typeof loaded[name] !== 'function')
      throw badInput(path, `a function ${name} among its exports`, typeof loaded[name]);
  const { plan, open } = loaded as unknown as InputModule;
  return {
    plan: (options, context) => iterable(plan(options, context), path, 'plan'),
    open: (part, context) => iterable(open(part, context), path, 'open'),
  };
}

function iterable(
  value: AsyncIterable<unknown> | Iterable<unknown>,
  path: string,
  name: string,
): AsyncIterable<unknown> | Iterable<unknown> {
  const isOne =
    typeof value === 'object' && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
  if (!isOne) throw badInput(path, `${name}() to give an iterable`, typeof value);
  return value;
}
