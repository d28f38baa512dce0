import { registerHooks } from 'node:module';
import { extname, isAbsolute, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import type { HandlerContext } from '../../../client/handler.ts';
import { BUILTIN } from '../builtin.ts';
import type { BuiltinFunction } from '../builtin-tools.ts';
import type { HostJob } from '../wire.ts';

/** What is called for each task: a user's function, or one of this package, which gets tools as well. */
export type TaskFunction =
  | { readonly kind: 'user'; readonly call: (context: HandlerContext) => unknown }
  | { readonly kind: 'own'; readonly call: BuiltinFunction };

/** Why there is nothing to call, in words for the log of the tasks. */
export class Unusable extends Error {}

/** What users import need not be installed where their module is. */
const SDK = new URL(`../../../client/handler${extname(fileURLToPath(import.meta.url))}`, import.meta.url);

/**
 * The function that a job names.
 *
 * @throws Unusable
 */
export async function loadFunction({ module, export: name, cwd }: HostJob): Promise<TaskFunction> {
  if (module.startsWith('spawn:')) return builtin(module);
  const path = isAbsolute(module) ? module : resolve(cwd, module);
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'spawn/handler' ? { url: SDK.href, shortCircuit: true } : next(specifier, context),
  });
  let exports: Record<string, unknown>;
  try {
    exports = await import(pathToFileURL(path).href);
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException)?.code === 'ERR_MODULE_NOT_FOUND';
    const why = isMissing ? (error as Error).message : inspect(error, { depth: 2, maxStringLength: 10_000 });
    throw new Unusable(`cannot load the module ${path}: ${why}`);
  }
  return functionOf(exports, name, path);
}

function functionOf(exports: Record<string, unknown>, name: string, path: string): TaskFunction {
  const found = exports[name];
  if (typeof found === 'function') return { kind: 'user', call: found as (context: HandlerContext) => unknown };
  if (found !== undefined) throw new Unusable(`the export ${name} of ${path} is no function, but ${typeof found}`);
  const names = Object.keys(exports).filter((key) => typeof exports[key] === 'function');
  const there = names.length === 0 ? 'no function' : `the functions ${names.toSorted().slice(0, 20).join(', ')}`;
  throw new Unusable(`the module ${path} has no export ${name}; it exports ${there}`);
}

async function builtin(module: string): Promise<TaskFunction> {
  const load = BUILTIN.get(module);
  if (load !== undefined) return { kind: 'own', call: await load() };
  throw new Unusable(`there is no module ${module}; known are: ${[...BUILTIN.keys()].join(', ') || 'none'}`);
}
