import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { SpawnError } from '../core/errors.ts';
import { didYouMean } from '../core/nearest.ts';
import type { FileOption } from './param-file.ts';
import { settingsPath } from './settings-path.ts';
import { type Plain, parseJsonText, parseYamlText, readTextFile, type TextDocument } from './text-document.ts';

/** Options of `spawn launch` that were kept under a name. */
export interface LaunchTemplate {
  readonly name: string;
  readonly path: string;
  /** In their order; an option that may be given several times has an entry for each. */
  readonly options: readonly FileOption[];
  /** The program and its arguments, where the template says one. */
  readonly argv: readonly string[] | undefined;
}

/** As a template is written: the text of each option, true for one without a value, a list for one that is given several times. */
export interface TemplateText {
  readonly options: Readonly<Record<string, string | true | readonly string[]>>;
  readonly argv?: readonly string[] | undefined;
}

type Env = Readonly<Record<string, string | undefined>>;

/** In the order in which they are looked for. */
const ENDINGS = ['.json', '.yaml', '.yml'];
/** Of templates that are job files (job-file/job-template.ts). */
export const JOB_ENDING = '.job.yaml';
const VERSION = '1';
const FIELDS = ['version', 'options', 'argv'];
const MAX_TEMPLATES = 10_000;

/** `$XDG_CONFIG_HOME/spawn/templates`, else `~/.config/spawn/templates`. */
export function templatesDirectory(env: Env): string {
  return join(dirname(settingsPath(env)), 'templates');
}

/** Names of all templates, sorted. */
export function listTemplates(env: Env): readonly string[] {
  const names = filesIn(templatesDirectory(env)).map((file) => file.slice(0, -extname(file).length));
  return [...new Set(names)].sort().slice(0, MAX_TEMPLATES);
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory).filter((file) => ENDINGS.includes(extname(file)) && !file.endsWith(JOB_ENDING));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw fileError(directory, 'read', error);
  }
}

/**
 * A template as it is on disk; what its options mean is for the caller to check.
 * @param name a file name without its ending, checked before
 * @throws SpawnError USAGE, FILE_UNREADABLE naming file, line, column and field
 */
export function readTemplate(env: Env, name: string): LaunchTemplate {
  const path = pathOf(env, name);
  const text = readTextFile('template', path, path).replace(/^\uFEFF/, '');
  const document = extname(path) === '.json' ? parseJsonText(path, text) : parseYamlText(path, text);
  return { name, path, ...fieldsOf(document) };
}

/** The one file of a name. */
function pathOf(env: Env, name: string): string {
  const directory = templatesDirectory(env);
  const found = ENDINGS.map((ending) => join(directory, `${name}${ending}`)).filter((path) =>
    statSync(path, { throwIfNoEntry: false }),
  );
  const [path, other] = found;
  if (path === undefined) {
    const names = listTemplates(env);
    const meant =
      didYouMean(name, names) || (names.length === 0 ? '; there is none yet' : '; see: spawn template list');
    throw usage(`template ${JSON.stringify(name)} not found in ${directory}${meant}`);
  }
  if (other !== undefined)
    throw usage(`template ${JSON.stringify(name)}: expected one file, found ${path} and ${other}`);
  return path;
}

function fieldsOf({ value, place }: TextDocument): Pick<LaunchTemplate, 'options' | 'argv'> {
  const bad = (keys: readonly (string | number)[], expected: string, found: string): never => {
    const field = keys
      .map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`))
      .join('')
      .slice(1);
    throw usage(`${place(keys)}${field === '' ? '' : ` ${field}`}: expected ${expected}, found ${found}`);
  };
  if (!isObject(value)) return bad([], 'an object with options', shown(value));
  for (const key of Object.keys(value)) {
    if (!FIELDS.includes(key)) bad([key], `one of ${FIELDS.join(', ')}`, JSON.stringify(key));
  }
  const { version = VERSION, options = {}, argv } = value;
  if (version !== VERSION) bad(['version'], VERSION, shown(version));
  if (!isObject(options)) return bad(['options'], 'an object of options', shown(options));
  const entries = Object.entries(options).flatMap(([option, said]): FileOption[] => {
    const texts = Array.isArray(said) ? (said as readonly Plain[]) : [said];
    return texts.map((text, at) => {
      const keys = ['options', option, ...(Array.isArray(said) ? [at] : [])];
      if (typeof text !== 'string') return bad(keys, 'text, a number, true or false', shown(text));
      return { option, text, where: `${place(keys)} ${option}` };
    });
  });
  if (argv === undefined) return { options: entries, argv: undefined };
  if (!Array.isArray(argv)) return bad(['argv'], 'a list of words', shown(argv));
  const words = argv.map((word: Plain, at) =>
    typeof word === 'string' ? word : bad(['argv', at], 'a word', shown(word)),
  );
  return { options: entries, argv: words };
}

function isObject(value: Plain): value is { readonly [key: string]: Plain } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: Plain): string {
  if (value === null) return 'nothing';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 200));
  return Array.isArray(value) ? 'a list' : 'an object';
}

/**
 * Writes a template as JSON, in place of one of that name; only its user may read it.
 * @returns the path, and whether there was one before
 */
export function writeTemplate(
  env: Env,
  name: string,
  { options, argv }: TemplateText,
): { path: string; replaced: boolean } {
  const directory = templatesDirectory(env);
  const path = join(directory, `${name}.json`);
  const before = ENDINGS.map((ending) => join(directory, `${name}${ending}`)).filter((each) =>
    statSync(each, { throwIfNoEntry: false }),
  );
  const next = `${path}.${process.pid}.tmp`;
  const content = { version: 1, options, ...(argv === undefined ? {} : { argv }) };
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeFileSync(next, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
    renameSync(next, path);
    for (const other of before) if (other !== path) rmSync(other);
  } catch (error) {
    rmSync(next, { force: true });
    throw fileError(path, 'written', error);
  }
  return { path, replaced: before.length > 0 };
}

/** Removes the one file of a name and gives its path. @throws SpawnError USAGE */
export function deleteTemplate(env: Env, name: string): string {
  const path = pathOf(env, name);
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

function usage(message: string): SpawnError {
  return new SpawnError('USAGE', { message });
}
