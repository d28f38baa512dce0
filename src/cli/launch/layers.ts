import type { FileOption } from '../../config/param-file.ts';
import { SpawnError } from '../../core/errors.ts';
import { didYouMean } from '../../core/nearest.ts';
import type { Option } from '../command.ts';
import { type Given, options } from './options.ts';
import { UNSUPPORTED } from './unsupported.ts';

/** What one source says of a launch: some options, read. */
export type Layer = Partial<Given>;

/** An option that the provider cannot honour, as it was written. */
export interface Refused {
  readonly option: string;
  readonly where: string;
}

const TABLE: Readonly<Record<string, Option>> = options;

/** Options that say the same thing, or the opposite: one of a higher layer takes all of a lower one away. */
const TOGETHER: readonly (readonly (keyof Given)[])[] = [
  ['count', 'array', 'param-file'],
  ['job-array-name', 'name'],
  ['time', 'time-limit'],
  ['user-data', 'user-data-file'],
  ['on-idle', 'hibernate'],
  ['no-timeout', 'ttl'],
  ['no-timeout', 'idle-timeout'],
  ['dry-run', 'detach', 'wait', 'wait-for-running', 'follow'],
  ['format', 'json', 'quiet'],
];

/** What an option of a higher layer takes away, itself among it. */
export function replacedBy(option: keyof Given): readonly (keyof Given)[] {
  return [...new Set([option, ...TOGETHER.filter((group) => group.includes(option)).flat()])];
}

/** Without the other, an option of the lower layer would mean something else, or nothing. */
const FOLLOWS: readonly (readonly [gone: keyof Given, also: readonly (keyof Given)[]])[] = [
  ['ttl', ['ttl-mode']],
  ['idle-timeout', ['idle-cpu', 'on-idle']],
];

/** Keys of `many` options of which one layer replaces that of another: `team=a` and `team=b`. */
const KEYED: readonly (keyof Given)[] = ['tag'];

export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
}

/** Options of a file, read by the table that reads the command line. @throws SpawnError that names the place in the file */
export function readLayer(
  entries: readonly FileOption[],
  forbidden: readonly string[] = [],
): { layer: Layer; refused: Refused[] } {
  const read: Record<string, unknown> = {};
  const refused: Refused[] = [];
  for (const { option, text, where } of entries) {
    if (Object.hasOwn(UNSUPPORTED, option)) {
      refused.push({ option, where });
      continue;
    }
    const row = Object.hasOwn(TABLE, option) ? TABLE[option] : undefined;
    if (row === undefined || forbidden.includes(option)) {
      const why = row === undefined ? 'an option of spawn launch' : 'an option that can be kept';
      const names = Object.keys(TABLE).filter((name) => !forbidden.includes(name));
      throw usage(`${where}: expected ${why}, found ${JSON.stringify(option)}${didYouMean(option, names)}`);
    }
    const value = readText(row, text, where);
    if (row.many) read[option] = [...((read[option] as unknown[]) ?? []), value];
    else if (read[option] !== undefined) throw usage(`${where}: expected once, found twice`);
    else read[option] = value;
  }
  return { layer: read as Layer, refused };
}

function readText(option: Option, text: string, where: string): unknown {
  const bad = (expected: string): never => {
    throw new SpawnError('BAD_REQUEST', { where, expected, found: text });
  };
  if (option.value === undefined) {
    if (text !== 'true' && text !== 'false') bad('true or false');
    return text === 'true';
  }
  if (option.choices !== undefined && !option.choices.includes(text)) bad(option.choices.join(' or '));
  return option.parse === undefined ? text : option.parse(text, where);
}

/** `over` goes before `under`, option by option. */
export function mergeLayers(over: Layer, under: Layer): Layer {
  const kept: Record<string, unknown> = { ...under };
  for (const group of TOGETHER) {
    const said = group.filter((name) => isGiven(over[name]));
    if (said.length > 0) for (const name of group) if (!said.includes(name)) delete kept[name];
  }
  for (const [gone, also] of FOLLOWS) {
    if (isGiven(under[gone]) && !isGiven(kept[gone]) && !isGiven(over[gone]))
      for (const name of also) delete kept[name];
  }
  // A zone belongs to its region.
  if (isGiven(over.region) && !isGiven(over.az)) delete kept.az;
  dropThrottle(over, kept);
  for (const [name, value] of Object.entries(over)) {
    // `false` of a file says that a lower layer's `true` does not hold.
    if (value !== false && !isGiven(value)) continue;
    kept[name] = isGiven(kept[name]) && Array.isArray(value) ? joined(name, kept[name] as unknown[], value) : value;
  }
  return kept as Layer;
}

/** How many at once is said by `%N` or by --max-concurrent: the higher layer's counts. */
function dropThrottle(over: Layer, kept: Record<string, unknown>): void {
  const { array } = kept as Layer;
  if (over.array?.throttle !== undefined) delete kept['max-concurrent'];
  if (over['max-concurrent'] !== undefined && array?.throttle !== undefined) kept.array = { set: array.set };
}

function joined(name: string, under: readonly unknown[], over: readonly unknown[]): readonly unknown[] {
  if (!KEYED.includes(name as keyof Given)) return [...under, ...over];
  const keys = new Set((over as Given['tag']).map(([key]) => key));
  return [...(under as Given['tag']).filter(([key]) => !keys.has(key)), ...over];
}

/** Every option, with what stands for one that was not given. */
export function completeLayer(layer: Layer): Given {
  const entries = Object.entries(TABLE).map(([name, option]) => {
    const none = option.many ? [] : option.value === undefined ? false : undefined;
    return [name, layer[name as keyof Given] ?? none];
  });
  return Object.fromEntries(entries) as Given;
}

function usage(message: string): SpawnError {
  return new SpawnError('USAGE', { message });
}
