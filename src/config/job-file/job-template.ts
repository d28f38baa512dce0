import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SpawnError } from '../../core/errors.ts';
import { JOB_ENDING, templatesDirectory } from '../launch-template.ts';
import { readTextFile } from '../text-document.ts';
import { BUILT_IN_TEMPLATES } from './built-in-templates.ts';

/** A job file that was kept under a name, or that came with this program. */
export interface JobTemplate {
  readonly name: string;
  /** Absent: it came with this program. */
  readonly path?: string;
  readonly summary: string;
  readonly text: string;
}

type Env = Readonly<Record<string, string | undefined>>;

function pathOf(env: Env, name: string): string {
  return join(templatesDirectory(env), `${name}${JOB_ENDING}`);
}

/** The job template of a name: that of this user, else one that came with this program. */
export function findJobTemplate(env: Env, name: string): JobTemplate | undefined {
  const path = pathOf(env, name);
  if (statSync(path, { throwIfNoEntry: false }) === undefined)
    return BUILT_IN_TEMPLATES.find((one) => one.name === name);
  const text = readTextFile('template', path, path);
  return { name, path, summary: summaryOf(text), text };
}

/** All of them, by name. */
export function listJobTemplates(env: Env): readonly JobTemplate[] {
  const own = ownNames(env);
  const others = BUILT_IN_TEMPLATES.filter(({ name }) => !own.includes(name));
  return [...own.map((name) => findJobTemplate(env, name)!), ...others].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function ownNames(env: Env): string[] {
  try {
    const files = readdirSync(templatesDirectory(env));
    return files.filter((file) => file.endsWith(JOB_ENDING)).map((file) => file.slice(0, -JOB_ENDING.length));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw fileError(templatesDirectory(env), 'read', error);
  }
}

/** Its description, without reading all of it: a list of templates must not fail because one is wrong. */
function summaryOf(text: string): string {
  const [, said = ''] = /^description:[ \t]*(.*)$/m.exec(text) ?? [];
  return said.replace(/^(["'])(.*)\1$/, '$2').trim();
}

/** Keeps a job file under a name, in place of the one that has it. @returns the path, and whether there was one */
export function writeJobTemplate(env: Env, name: string, text: string): { path: string; replaced: boolean } {
  const path = pathOf(env, name);
  const replaced = statSync(path, { throwIfNoEntry: false }) !== undefined;
  const next = `${path}.${process.pid}.tmp`;
  try {
    mkdirSync(templatesDirectory(env), { recursive: true, mode: 0o700 });
    writeFileSync(next, text, { mode: 0o600 });
    renameSync(next, path);
  } catch (error) {
    rmSync(next, { force: true });
    throw fileError(path, 'written', error);
  }
  return { path, replaced };
}

/** Removes a job template of this user and gives its path; undefined when there is none. */
export function deleteJobTemplate(env: Env, name: string): string | undefined {
  const path = pathOf(env, name);
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
  try {
    rmSync(path);
  } catch (error) {
    throw fileError(path, 'removed', error);
  }
  return path;
}

function fileError(path: string, done: string, cause: unknown): SpawnError {
  const why = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
  return new SpawnError('USAGE', { message: `${JSON.stringify(path)} cannot be ${done}: ${why}` }, { cause });
}
