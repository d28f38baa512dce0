import { z } from 'zod';
import { parseBytes } from '../../core/bytes.ts';
import { parseDuration } from '../../core/duration.ts';
import { isSpawnError } from '../../core/errors.ts';
import { MAX_DURATION_MS } from '../limits.ts';

/** Values of one field of a job file. The message of a fault is always what was expected, without the word. */

/** What JSON Schema says of a field that a parser of our own reads. */
type JsonForm = Readonly<Record<string, unknown>>;

/**
 * A field that `read` reads.
 * @param expected what a fault says was expected, unless `read` throws a better word for it
 * @param read gives undefined for what is none, or throws
 */
export function leaf<T>(expected: string, json: JsonForm, read: (value: unknown) => T | undefined) {
  return z
    .unknown()
    .transform((value, context): T => {
      const said = reading(read, value);
      if (said.value !== undefined) return said.value;
      context.issues.push({ code: 'custom', input: value, message: said.expected ?? expected, params: { leaf: true } });
      return z.NEVER;
    })
    .meta(json);
}

/** A parser's refusal, which may know better what is wrong. */
class Expected extends Error {}

/** Throws what a leaf shall say was expected. */
function expect(words: string): never {
  throw new Expected(words);
}

function reading<T>(read: (value: unknown) => T | undefined, value: unknown): { value?: T; expected?: string } {
  try {
    const read_ = read(value);
    return read_ === undefined ? {} : { value: read_ };
  } catch (error) {
    if (error instanceof Expected) return { expected: error.message };
    if (!isSpawnError(error)) throw error;
    const { expected, at } = error.details;
    if (expected === undefined) return { expected: error.message };
    return { expected: typeof at === 'number' ? `${expected} at character ${at + 1}` : String(expected) };
  }
}

/** Text that can be an argument of a program. */
export function text(max: number, min = 1) {
  return z
    .string()
    .min(min)
    .max(max)
    .refine((value) => !value.includes('\0'), 'text without a NUL byte')
    .refine((value) => value.isWellFormed(), 'text without half a surrogate pair');
}

/** A path, URL or pattern. */
export const path = text(4_096);

/** `90s`, `1h30m`; ms. */
export function duration(leastMs = 0, mostMs = MAX_DURATION_MS) {
  const expected = 'a duration as 90s, 5m or 1h30m';
  const json = { type: ['string', 'integer'], pattern: '^(0|([0-9]+(d|h|m|s|ms))+)$', examples: ['90s', '1h30m'] };
  return leaf(expected, json, (value) => {
    const ms = quietly(() => parseDuration(wordOf(value)));
    if (ms === undefined) return undefined;
    if (ms > mostMs) expect(`at most ${mostMs >= 86_400_000 ? `${Math.floor(mostMs / 86_400_000)}d` : `${mostMs}ms`}`);
    if (ms < leastMs) expect(`at least ${leastMs >= 1_000 ? `${leastMs / 1_000}s` : `${leastMs}ms`}`);
    return ms;
  });
}

/** `512M`, `4G`; bytes. @param bare whether a number without a unit counts bytes */
export function size({ least = 0, most = Number.MAX_SAFE_INTEGER, bare = false } = {}) {
  const expected = `a size as 512K, 64M or 4G${bare ? ', or a number of bytes' : ''}`;
  const json = {
    type: ['string', 'integer'],
    pattern: bare ? '^[0-9]+([KMGTkmgt]?[iI]?[bB]?)$' : '^(0|[0-9]+([KMGTkmgt]([iI]?[bB])?|[bB]))$',
    examples: ['64M', '4G'],
  };
  return leaf(expected, json, (value) => {
    const bytes = quietly(() => parseBytes(wordOf(value), bare ? 'B' : undefined));
    if (bytes === undefined) return undefined;
    if (bytes < least) expect(`at least ${least} ${least === 1 ? 'byte' : 'bytes'}`);
    if (bytes > most) expect(`at most ${most} bytes`);
    return bytes;
  });
}

/** `20%` or `0.2`: a part of a whole. @param zero whether it may be none */
export function part(zero = true) {
  const expected = zero ? 'a part as 20% or 0.2, at most 100%' : 'a part as 20% or 0.2, more than 0 and at most 100%';
  const json = { type: ['string', 'number'], minimum: 0, maximum: 1, pattern: '^[0-9]+(\\.[0-9]+)?%?$' };
  return leaf(expected, json, (value) => {
    const [, digits, percent] = /^(\d{1,3}(?:\.\d{1,6})?)(%?)$/.exec(wordOf(value)) ?? [];
    const share = digits === undefined ? Number.NaN : percent === '%' ? percentOf(digits) : Number(digits);
    return share <= 1 && (zero || share > 0) ? share : undefined;
  });
}

/** 0.07 of 7, where 7 / 100 is exact as well; but also 0.145 of 14.5. */
function percentOf(digits: string): number {
  return Number(`${digits}e-2`);
}

/** The text of a value that is a word or a number; else one that no parser takes. */
export function wordOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '?';
}

/** What a core parser gives; undefined where it refuses. */
function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isSpawnError(error)) return undefined;
    throw error;
  }
}

/**
 * A mapping of these keys and no others; its fault lists them, so that the nearest can be told.
 * @param words what is expected where there is something else; default that it is a mapping
 */
export function section<T extends z.core.$ZodLooseShape>(shape: T, words?: string) {
  const keys = Object.keys(shape)
    .filter((key) => key !== '$schema')
    .join(', ');
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? `one of ${keys}` : words),
  });
}

/** One or several. */
export function oneOrMore<T extends z.ZodType>(item: T, most: number) {
  return z.union([item.transform((one) => [one]), z.array(item).min(1).max(most)]);
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Name of a variable or a parameter. */
export const variableName = text(255).regex(NAME, 'a name of letters, digits and "_", no digit first');
/** Name of a parameter. */
export const paramName = text(128).regex(NAME, 'a name of letters, digits and "_", no digit first');
/** Name of a stage. */
export const stageName = text(63).regex(
  /^[A-Za-z_][A-Za-z0-9_-]*$/,
  'a name of letters, digits, "_" and "-", a letter or "_" first',
);

/** A rule on a whole section, that is checked also when fields of it are wrong. @param broken says what was expected instead */
export function ruled<T extends z.ZodType>(
  schema: T,
  broken: (value: Readonly<Record<string, unknown>>) => string | undefined,
): T {
  return schema.refine((value) => broken(value as Record<string, unknown>) === undefined, {
    error: (issue) => broken(issue.input as Record<string, unknown>),
    when: ({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value),
    params: { whole: true },
  });
}

/** A section in which exactly one of these keys must be there. */
export function exactlyOne<T extends z.ZodType>(schema: T, keys: readonly string[]): T {
  return ruled(schema, (value) => {
    const given = keys.filter((key) => value[key] !== undefined);
    if (given.length === 1) return undefined;
    const found = given.length === 0 ? 'none' : given.length === 2 ? `both ${given.join(' and ')}` : given.join(', ');
    return `exactly one of ${keys.join(', ')}, found ${found}`;
  });
}

/** Where a value is read from that is not written down. */
export const secretRef = exactlyOne(
  section(
    {
      env: text(255).optional().describe('Variable of the environment of the process that needs it'),
      file: path.optional().describe('File of the machine of the process that needs it'),
    },
    'a mapping as {env: NAME} or {file: PATH}',
  ),
  ['env', 'file'],
).transform(({ env, file }) => (env === undefined ? { file: file! } : { env }));
