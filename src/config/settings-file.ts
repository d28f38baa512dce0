import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isSpawnError, SpawnError } from '../core/errors.ts';
import { parseJsonObject } from './json-file.ts';
import { SETTINGS } from './setting-table.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Settings in a file, by their names. */
export type FileSettings = Readonly<Record<string, string>>;

const MAX_BYTES = 1024 * 1024;

/**
 * The settings of the file; none when there is no file.
 * @throws SpawnError naming file, line and column, or file and setting
 */
export function readSettingsFile(path: string): FileSettings {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return {};
  if (stat.size > MAX_BYTES) {
    throw new SpawnError('BAD_REQUEST', { where: path, expected: `at most ${MAX_BYTES} bytes`, found: stat.size });
  }
  const settings: Record<string, string> = {};
  for (const [name, value] of Object.entries(parseJsonObject(path, readText(path)))) {
    const where = `${path}: ${name}`;
    if (typeof value !== 'string' && typeof value !== 'number') {
      throw new SpawnError('BAD_REQUEST', { where, expected: 'text or a number', found: typeof value });
    }
    settings[name] = checkSetting(name, String(value), where);
  }
  return settings;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    const why = code === 'EACCES' ? 'permission denied' : code === 'EISDIR' ? 'it is a directory' : code;
    throw new SpawnError('FILE_UNREADABLE', { path, why }, { cause: error });
  }
}

/** Gives the text back when it can be the value of the setting. @throws SpawnError naming `where` */
export function checkSetting(name: string, text: string, where: string): string {
  const setting = SETTINGS.find((each) => each.name === name);
  if (setting === undefined) {
    if (/token$|password|secret/i.test(name)) {
      throw new SpawnError('USAGE', {
        message: `${where}: expected token_file, the path of a file that holds it: a secret is no setting`,
      });
    }
    throw new SpawnError('USAGE', { message: `${where}: expected ${SETTINGS.map((each) => each.name).join(', ')}` });
  }
  if (text === '') throw new SpawnError('BAD_REQUEST', { where, expected: `a value (${setting.type})`, found: text });
  try {
    setting.check(text, where);
  } catch (error) {
    throw isSpawnError(error) && error.code.startsWith('BAD_') ? error.with({ where }) : error;
  }
  return text;
}

/** Replaces the file in one step; only its user may read it. */
export function writeSettingsFile(path: string, settings: FileSettings): void {
  const next = `${path}.${process.pid}.tmp`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(next, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 });
    renameSync(next, path);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new SpawnError(
      'USAGE',
      { message: `config: file ${JSON.stringify(path)} cannot be written: ${why}` },
      { cause: error },
    );
  }
}

/** The environment with what the file adds: a variable that is set goes before it. */
export function withSettings(env: Env, settings: FileSettings): Env {
  const added = SETTINGS.flatMap(({ name, variable }) =>
    !env[variable] && settings[name] !== undefined ? [[variable, settings[name]] as const] : [],
  );
  return added.length === 0 ? env : { ...env, ...Object.fromEntries(added) };
}
