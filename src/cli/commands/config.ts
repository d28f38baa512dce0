import { SETTINGS, type Setting } from '../../config/setting-table.ts';
import { readSettings } from '../../config/settings.ts';
import {
  checkSetting,
  type FileSettings,
  readSettingsFile,
  withSettings,
  writeSettingsFile,
} from '../../config/settings-file.ts';
import { settingsPath } from '../../config/settings-path.ts';
import { isSpawnError, SpawnError } from '../../core/errors.ts';
import { didYouMean } from '../../core/nearest.ts';
import { defineCommand } from '../command.ts';
import { jsonText } from '../output/json.ts';
import { type Column, Table } from '../output/table.ts';
import { jsonOption } from '../output-option.ts';
import { reportError } from '../report-error.ts';
import type { World } from '../world.ts';

const VERBS = { list: 0, get: 1, set: 2, unset: 1, path: 0 } as const;
type Verb = keyof typeof VERBS;

/** As git(1), config --get: there is none. */
const NOT_SET = 1;

interface Row {
  readonly name: string;
  readonly value: string | undefined;
  readonly from: string;
  readonly meaning: string;
}

const columns: readonly Column<Row>[] = [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'VALUE', value: ({ value }) => value ?? '-', plain: ({ value }) => value ?? '' },
  { title: 'FROM', value: ({ from }) => from },
  { title: 'MEANING', wrap: true, value: ({ meaning }) => meaning },
];

export const config = defineCommand({
  usage: ['config [list] [-o json]', 'config get NAME', 'config set NAME VALUE', 'config unset NAME', 'config path'],
  about:
    'Lists or changes the settings. A variable of the environment goes before the settings file, and the file before the\n' +
    'default. Through a pipe list prints one line a setting, tab-separated: name, value, where it is from, meaning.\n' +
    'get exits with 1 when there is no value.',
  options: { format: jsonOption },
  operands: { name: 'list, get, set, unset or path', min: 0, max: 3 },
  examples: [
    { line: 'spawn config', says: 'all settings, and where each is from' },
    { line: 'spawn config set server https://spawn.example.org:7700', says: 'use a coordinator elsewhere' },
  ],
  run: async ({ options, operands }, world) => {
    const [verb = 'list', name, value] = operands;
    checkOperands(verb, operands.slice(1));
    if (options.format !== undefined && verb !== 'list') {
      throw new SpawnError('USAGE', { message: `config ${verb}: expected -o with config list only` });
    }
    const path = settingsPath(world.ownEnv);
    switch (verb) {
      case 'path':
        world.stdout.write(`${path}\n`);
        return 0;
      case 'get':
        return get(world, path, settingNamed(name!));
      case 'set':
        return set(world, path, name!, value!);
      case 'unset':
        return unset(path, settingNamed(name!));
      default:
        return list(world, path, options.format === 'json');
    }
  },
});

function checkOperands(verb: string, rest: readonly string[]): asserts verb is Verb {
  const verbs = Object.keys(VERBS);
  if (!Object.hasOwn(VERBS, verb)) {
    const message = `config: expected list, get, set, unset or path, found ${JSON.stringify(verb)}${didYouMean(verb, verbs)}`;
    throw new SpawnError('USAGE', { message });
  }
  const wanted = ['NAME', 'VALUE'].slice(0, VERBS[verb as Verb]);
  const missing = wanted[rest.length];
  if (missing !== undefined)
    throw new SpawnError('USAGE', { message: `config ${verb}: expected ${missing}, found nothing` });
  const surplus = rest[wanted.length];
  if (surplus !== undefined) {
    // It may be the second half of something secret.
    throw new SpawnError('USAGE', {
      message: `config ${verb}: expected ${wanted.join(' ') || 'no argument'}, found more`,
    });
  }
}

function settingNamed(name: string): Setting {
  const setting = SETTINGS.find((each) => each.name === name);
  if (setting !== undefined) return setting;
  const names = SETTINGS.map((each) => each.name);
  const meant = didYouMean(name, names) || `; expected ${names.join(', ')}`;
  throw new SpawnError('USAGE', { message: `config: unknown setting ${JSON.stringify(name)}${meant}` });
}

/** A file that cannot be read must not keep one from seeing the rest: it counts as empty, and what is wrong is said. */
function readOrReport(world: World, path: string): { readonly file: FileSettings; readonly exitCode: number } {
  try {
    return { file: readSettingsFile(path), exitCode: 0 };
  } catch (error) {
    if (!isSpawnError(error)) throw error;
    return { file: {}, exitCode: reportError(error, world) };
  }
}

function rowOf(world: World, file: FileSettings, setting: Setting): Row {
  const { name, variable, meaning } = setting;
  const settings = readSettings(withSettings(world.ownEnv, file), process.getuid?.() ?? 0);
  const usual: Readonly<Record<string, string | undefined>> = {
    data_dir: settings.dataDir,
    runtime_dir: settings.runtimeDir,
    max_array_size: setting.usual,
    bind_cpus: setting.usual,
    ignore_unsupported: setting.usual,
  };
  if (world.ownEnv[variable]) return { name, value: world.ownEnv[variable], from: variable, meaning };
  if (file[name] !== undefined) return { name, value: file[name], from: 'file', meaning };
  return { name, value: usual[name], from: 'default', meaning };
}

function list(world: World, path: string, json: boolean): number {
  const { file, exitCode } = readOrReport(world, path);
  const rows = SETTINGS.map((setting) => rowOf(world, file, setting));
  const plain = rows.map(({ name, value, from }) => ({ name, value: value ?? null, from }));
  world.stdout.write(json ? jsonText(plain) : new Table(columns, world.stdout).render(rows));
  return exitCode;
}

function get(world: World, path: string, setting: Setting): number {
  const { file, exitCode } = readOrReport(world, path);
  const { value } = rowOf(world, file, setting);
  if (value !== undefined) world.stdout.write(`${value}\n`);
  return exitCode !== 0 ? exitCode : value === undefined ? NOT_SET : 0;
}

function set(world: World, path: string, name: string, value: string): number {
  checkSetting(name, value, `config: ${name}`);
  const { variable } = settingNamed(name);
  writeSettingsFile(path, { ...readSettingsFile(path), [name]: value });
  if (world.ownEnv[variable]) world.stderr.write(`spawn: note: ${variable} is set and goes before it\n`);
  return 0;
}

function unset(path: string, { name }: Setting): number {
  const { [name]: before, ...rest } = readSettingsFile(path);
  if (before === undefined) return NOT_SET;
  writeSettingsFile(path, rest);
  return 0;
}
