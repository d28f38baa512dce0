import { SpawnError } from '../core/errors.ts';

/** What a zod schema says of one fault; the parts that are used here. */
interface Issue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly expected?: unknown;
  readonly keys?: readonly string[];
  readonly values?: readonly unknown[];
  readonly options?: readonly unknown[];
  readonly prefix?: unknown;
  readonly format?: unknown;
  readonly origin?: unknown;
  readonly minimum?: unknown;
  readonly maximum?: unknown;
  readonly inclusive?: boolean | undefined;
  readonly issues?: readonly Issue[];
}

/** A zod schema, seen from here. */
interface Schema {
  safeParse(data: unknown): { success: true; data: unknown } | { success: false; error: { issues: readonly Issue[] } };
}

/** One fault of a request: a row of `details.issues`. */
interface Fault {
  where: string;
  expected: string;
  found: unknown;
}

const PARTS: Readonly<Record<string, string>> = { querystring: 'query', params: 'path', headers: 'headers' };

/** Validates one part of a request, as fastify asks for it; a refusal is BAD_REQUEST. */
export function accept(schema: unknown, httpPart = 'body'): (data: unknown) => { value: unknown } | { error: Error } {
  const part = PARTS[httpPart] ?? 'body';
  return (data) => {
    if (holdsMoreThan(MOST_VALUES, data)) {
      const details = { where: part, expected: `at most ${MOST_VALUES} values`, found: 'more' };
      return { error: new SpawnError('BAD_REQUEST', details) };
    }
    const result = (schema as Schema).safeParse(data);
    return result.success ? { value: result.data } : { error: refusal(part, data, result.error.issues) };
  };
}

/** Checks what did not come by HTTP. @param part as errors call it @throws SpawnError BAD_REQUEST */
export function check(schema: unknown, part: string, data: unknown): void {
  const result = (schema as Schema).safeParse(data);
  if (!result.success) throw refusal(part, data, result.error.issues);
}

/**
 * A schema makes an object for each fault, so that a body of 32 MiB of them would take all memory. No spec comes near this
 * many names and values; only exchanges do, and those that are right do not come here.
 */
const MOST_VALUES = 100_000;

function holdsMoreThan(most: number, data: unknown): boolean {
  const open = [data];
  let seen = 0;
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    const inner: unknown[] = Array.isArray(value) ? value : Object.values(value);
    seen += inner.length;
    if (seen > most) return true;
    for (const each of inner) if (typeof each === 'object') open.push(each);
  }
  return false;
}

const MOST_FAULTS = 20;
const SHOWN_TEXT = 80;
const SHOWN_ENTRIES = 5;

/** BAD_REQUEST naming the first fault, with the first 20 in `details.issues`. `part` is `body`, `query`, … */
function refusal(part: string, data: unknown, issues: readonly Issue[]): SpawnError {
  const faults: Fault[] = [];
  for (const issue of issues) {
    for (const fault of faultsOf(part, data, issue)) {
      if (faults.length < MOST_FAULTS) faults.push(fault);
    }
    if (faults.length >= MOST_FAULTS) break;
  }
  const [first] = faults;
  return new SpawnError('BAD_REQUEST', { ...(first ?? { where: part, expected: 'something else' }), issues: faults });
}

function faultsOf(part: string, data: unknown, issue: Issue): Fault[] {
  const holder = at(data, issue.path);
  if (issue.code === 'unrecognized_keys') {
    return (issue.keys ?? []).slice(0, MOST_FAULTS).map((key) => ({
      where: place(part, [...issue.path, key]),
      expected: 'no field of this name',
      found: brief(at(holder, [key])),
    }));
  }
  if (issue.code === 'invalid_key') {
    const key = issue.path.at(-1);
    const inner = issue.issues?.[0];
    return [
      {
        where: `name of ${place(part, issue.path)}`,
        expected: inner === undefined ? 'another name' : expectation(inner),
        found: brief(String(key)),
      },
    ];
  }
  return [{ where: place(part, issue.path), expected: expectation(issue), found: brief(holder) }];
}

function expectation(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return typeName(issue.expected);
    case 'invalid_value':
      return choice(issue.values ?? []);
    case 'invalid_union':
      return issue.options === undefined ? 'one of the forms of the contract' : choice(issue.options);
    case 'too_small':
      return `${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${unit(issue.origin)}`;
    case 'too_big':
      return `${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${unit(issue.origin)}`;
    case 'invalid_format':
      return issue.format === 'starts_with' ? `text that starts with ${JSON.stringify(issue.prefix)}` : issue.message;
    default:
      return issue.message.replace(/^must not /, 'text that does not ');
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  object: 'an object',
  record: 'an object',
  array: 'an array',
  tuple: 'an array',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

function typeName(expected: unknown): string {
  return TYPE_NAMES[String(expected)] ?? String(expected);
}

function choice(values: readonly unknown[]): string {
  const all = values.map((value) => JSON.stringify(value));
  const last = all.pop() ?? 'nothing';
  return all.length === 0 ? last : `${all.join(', ')} or ${last}`;
}

function unit(origin: unknown): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' ? ' entries' : '';
}

function at(data: unknown, path: readonly PropertyKey[]): unknown {
  let value = data;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

/** `body.spec.env["my key"]`, `body.ends.runs[3][0]`. Names are the sender's: they are quoted unless plain, and cut. */
function place(part: string, path: readonly PropertyKey[]): string {
  let where = part;
  for (const key of path) {
    if (typeof key === 'number') where += `[${key}]`;
    else if (/^[\w-]{1,64}$/.test(String(key))) where += `.${String(key)}`;
    else where += `[${JSON.stringify(cut(String(key)))}]`;
  }
  return where;
}

/** A value small enough to be shown in an error, whatever its size and depth. */
export function brief(value: unknown): unknown {
  if (typeof value === 'string') return cut(value);
  if (Array.isArray(value)) {
    const shown: unknown[] = value.slice(0, SHOWN_ENTRIES).map(leaf);
    return value.length > SHOWN_ENTRIES ? [...shown, '…'] : shown;
  }
  if (typeof value !== 'object' || value === null) return leaf(value);
  const keys = Object.keys(value);
  const shown = keys.slice(0, SHOWN_ENTRIES).map((key) => [cut(key), leaf((value as Record<string, unknown>)[key])]);
  return Object.fromEntries(keys.length > SHOWN_ENTRIES ? [...shown, ['…', '…']] : shown);
}

function leaf(value: unknown): unknown {
  if (typeof value === 'string') return cut(value);
  // JSON has no NaN and no infinities, yet a number like 1e999 is read as one.
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return typeof value === 'object' && value !== null ? '…' : value;
}

/** What follows the host of a URL, or stands before it, may be a secret. */
function cut(text: string): string {
  const [, scheme, before] = /^(https?:\/\/)([^/?#\s]*)/i.exec(text) ?? [];
  if (scheme !== undefined) return `${scheme}${before!.slice(before!.lastIndexOf('@') + 1, SHOWN_TEXT)}/…`;
  return text.length > SHOWN_TEXT ? `${text.slice(0, SHOWN_TEXT)}…` : text;
}
