import { lstatSync, writeFileSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { findJobTemplate, listJobTemplates } from '../../config/job-file/job-template.ts';
import { SpawnError } from '../../core/errors.ts';
import { didYouMean } from '../../core/nearest.ts';
import type { World } from '../world.ts';
import { askForJob } from './ask-for-job.ts';

const DEFAULT_TEMPLATE = 'array';

/** Writes a new job file, of answers or of a template. @param path `-` for standard output @returns the exit code */
export async function writeNewFile(path: string, template: string | undefined, world: World): Promise<number> {
  if (path !== '-' && !['.yaml', '.yml'].includes(extname(path))) {
    throw usage(`expected a name that ends in .yaml or .yml, found ${JSON.stringify(path)}`);
  }
  // Before any question is asked.
  if (path !== '-') checkFree(path, world.cwd);
  const asks = template === undefined && world.stdin.isTTY && world.stderr.isTTY;
  const text = asks ? await askForJob(world) : textOf(template ?? DEFAULT_TEMPLATE, world);
  if (path === '-') world.stdout.write(text);
  else {
    write(path, text, world.cwd);
    world.stdout.write(`wrote ${path}; next: spawn run ${path}, or spawn submit ${path}\n`);
  }
  return 0;
}

function textOf(name: string, { env }: World): string {
  const found = findJobTemplate(env, name);
  if (found !== undefined) return found.text;
  const names = listJobTemplates(env).map((one) => one.name);
  throw usage(
    `--template: expected one of ${names.join(', ')}, found ${JSON.stringify(name)}${didYouMean(name, names)}`,
  );
}

function checkFree(path: string, cwd: string): void {
  if (lstatSync(resolve(cwd, path), { throwIfNoEntry: false }) !== undefined) throw fileError(path, { code: 'EEXIST' });
}

/** Whoever made a file of that name in the meantime keeps it. */
function write(path: string, text: string, cwd: string): void {
  try {
    writeFileSync(resolve(cwd, path), text, { flag: 'wx' });
  } catch (error) {
    throw fileError(path, error);
  }
}

function fileError(path: string, error: unknown): SpawnError {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
  if (code === 'EEXIST') return usage(`expected a file that is not there yet, found ${JSON.stringify(path)}`);
  return usage(`file ${JSON.stringify(path)} cannot be written: ${code}`);
}

function usage(message: string): SpawnError {
  return new SpawnError('USAGE', { message: `init: ${message}` });
}
