import { resolve } from 'node:path';
import { readIgnoreUnsupported } from '../../config/instance-settings.ts';
import { type LaunchTemplate, readTemplate } from '../../config/launch-template.ts';
import { type ParamFile, readParamFile } from '../../config/param-file.ts';
import { SpawnError } from '../../core/errors.ts';
import { IndexSet } from '../../core/index-set.ts';
import { didYouMean } from '../../core/nearest.ts';
import type { World } from '../world.ts';
import { checkTogether } from './check-together.ts';
import { completeLayer, isGiven, type Layer, mergeLayers, type Refused, readLayer, replacedBy } from './layers.ts';
import { type Names, namesOf } from './names.ts';
import type { Given, LaunchInput } from './options.ts';
import { checkSupported, UNSUPPORTED } from './unsupported.ts';

/** A launch as it was asked for by flags, a template and a file of parameters together. The same for one instance, an array and a sweep. */
export interface Launch {
  readonly given: Given;
  readonly names: Names;
  /** One instance that is no array. */
  readonly standalone: boolean;
  readonly indices: IndexSet;
  /** What stands after `--`. */
  readonly argv: readonly string[] | undefined;
  /** One set a member, in order of index. */
  readonly params: ParamFile['rows'] | undefined;
  readonly notes: readonly string[];
}

/** What belongs to one launch only. */
export const NOT_KEPT: readonly (keyof Given)[] = [
  'template',
  'unset',
  'dry-run',
  'idempotency-key',
  'format',
  'json',
  'yes',
];

/** @throws SpawnError that names the flag, or the file with line and field */
export async function readLaunch(
  input: LaunchInput,
  world: Pick<World, 'cwd' | 'env'>,
  chance: () => number,
): Promise<Launch> {
  const flags = givenOnly(input.options);
  const template = flags.template === undefined ? undefined : readTemplate(world.env, flags.template);
  const kept = template === undefined ? undefined : keptLayer(template, input.options.unset);
  const path = paramFilePath(flags, kept?.layer ?? {});
  const file = path === undefined ? undefined : await readParamFile(path, resolve(world.cwd, path));
  const [defaults, shared] = [readLayer(file?.defaults ?? []), readLayer(file?.shared ?? [])];
  const refused = [...refusedFlags(input), ...[kept, defaults, shared].flatMap((layer) => layer?.refused ?? [])];

  const { rest, operands } = input;
  const said = mergeLayers(flags, withoutReplaced(kept?.layer ?? {}, rest, operands));
  const argv = rest ?? (isGiven(flags.command) ? undefined : template?.argv);
  const under = withoutReplaced(defaults.layer, argv, operands);
  const given = completeLayer(mergeLayers(shared.layer, mergeLayers(said, under)));
  const ignores = given['ignore-unsupported'] || readIgnoreUnsupported(world.env);
  const note = checkSupported(refused, ignores);
  checkTogether(given);
  if (argv !== undefined && given.command !== undefined)
    usage('expected --command or a program after "--", found both');
  if (argv?.length === 0 || argv?.[0] === '') usage('expected a program after "--", found nothing');

  const indices = indicesOf(given, file);
  const standalone = isStandalone(given, file, indices);
  const names = namesOf(given, input.operands[0], standalone, chance);
  return {
    given,
    names,
    standalone,
    indices,
    argv,
    params: file?.rows,
    notes: [...(file?.notes ?? []), ...overruled(flags, file), ...(note === undefined ? [] : [note])],
  };
}

function givenOnly(options: Given): Layer {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => isGiven(value))) as Layer;
}

/** Options of the template but for those that `--unset` names. */
function keptLayer(template: LaunchTemplate, unset: readonly string[]): { layer: Layer; refused: Refused[] } {
  const names = [...new Set(template.options.map(({ option }) => option))];
  for (const name of unset) {
    const plain = name.replace(/^--/, '');
    if (names.includes(plain)) continue;
    const expected = `an option of template ${template.name} (${names.join(', ') || 'it has none'})${didYouMean(plain, names)}`;
    throw new SpawnError('BAD_REQUEST', { where: '--unset', expected, found: name });
  }
  const gone = unset.map((name) => name.replace(/^--/, ''));
  return readLayer(
    template.options.filter(({ option }) => !gone.includes(option)),
    NOT_KEPT,
  );
}

/** A size on the command line takes the place of the template's file of parameters. */
function paramFilePath(flags: Layer, kept: Layer): string | undefined {
  const sized = flags.count !== undefined || flags.array !== undefined;
  return flags['param-file'] ?? (sized ? undefined : kept['param-file']);
}

function refusedFlags(input: LaunchInput): Refused[] {
  const options: Readonly<Record<string, unknown>> = input.options;
  const names = Object.keys(UNSUPPORTED).filter((name) => isGiven(options[name]));
  return names.map((option) => ({ option, where: `--${option}` }));
}

/** A program takes the place of the command of a lower layer, a name on the command line that of its names. */
function withoutReplaced(under: Layer, argv: Launch['argv'], operands: readonly string[]): Layer {
  const { command, name, 'job-array-name': arrayName, ...others } = under;
  return {
    ...others,
    ...(argv === undefined ? { command } : {}),
    ...(operands.length === 0 ? { name, 'job-array-name': arrayName } : {}),
  };
}

function indicesOf({ count, array }: Given, file: ParamFile | undefined): IndexSet {
  const asked = array?.set ?? (count === undefined ? undefined : IndexSet.ofSize(count));
  if (file === undefined) return asked ?? IndexSet.ofSize(1);
  const { length } = file.rows;
  if (asked !== undefined && asked.size !== length) {
    const where = array === undefined ? '--count' : '--array';
    const expected = `${length}, as many as the sets of parameters in ${file.path}, or none`;
    throw new SpawnError('BAD_REQUEST', { where, expected, found: asked.size });
  }
  return asked ?? IndexSet.ofSize(length);
}

/** `--count 1` is what is meant without it; a name for an array makes one of any size. */
function isStandalone(given: Given, file: ParamFile | undefined, { size }: IndexSet): boolean {
  return size === 1 && given.array === undefined && given['job-array-name'] === undefined && file === undefined;
}

/** What rows say holds even where a flag says something else: whoever gave the flag is told. */
function overruled(flags: Layer, file: ParamFile | undefined): string[] {
  return (file?.shared ?? []).flatMap((shared) => {
    const option = shared.option as keyof Given;
    const names = shared.text === 'false' ? [option] : replacedBy(option);
    const gone = names.filter((name) => isGiven(flags[name]));
    return gone.map((name) => `${shared.where}: ${JSON.stringify(shared.text)} goes before --${name}`);
  });
}

function usage(message: string): never {
  throw new SpawnError('USAGE', { message: `launch: ${message}` });
}
