import { SpawnError } from '../core/errors.ts';
import { parseJobRef } from '../core/ids.ts';
import { MAX_INDEX, parseIndexSet } from '../core/index-set.ts';
import type { Option } from './command.ts';
import { at } from './option-values.ts';

/** What a person named, taken apart: `12_[1,3-5]` is the job 12 and the indices `1,3-5`. */
export interface Named {
  /** A number, a name or an array id. */
  readonly ref: string;
  /** On the wire; absent: the whole job. */
  readonly index?: string;
}

/** Reads JOB or TASK. Only the form is checked here; whether there is such a job, the coordinator knows. */
export function readRef(verb: string, text: string): Named {
  // Names may hold "_" and digits, so only a number can take indices.
  const [, name, indices] = /^([A-Za-z][^[]*)_\[(.*)\]$/.exec(text) ?? [];
  if (indices !== undefined) {
    const expected = `a number before indices, as 12_[${indices}], or ${name} with --index ${indices}`;
    throw new SpawnError('BAD_REQUEST', { where: verb, expected, found: text });
  }
  const parsed = at(verb, () => parseJobRef(text));
  switch (parsed.kind) {
    case 'job':
      return { ref: String(parsed.id) };
    case 'tasks':
      return { ref: String(parsed.id), index: parsed.indices.toString() };
    case 'name':
      return { ref: parsed.name };
  }
}

/** Reads JOB where a task would make no sense. */
export function readJobRef(verb: string, text: string): string {
  const { ref, index } = readRef(verb, text);
  if (index !== undefined) {
    throw new SpawnError('BAD_REQUEST', { where: verb, expected: 'a whole job, as 12 or a name', found: text });
  }
  return ref;
}

/** `--index`: numbers are indices, a number alone too (it selects, it does not size an array). On the wire. */
export const indexOption = {
  value: 'SET',
  summary: 'Only these indices: 3, 1,3-5 or 0-99:2',
  parse: (text, where) =>
    at(where, () => parseIndexSet(text, { dialect: 'wire', maxSize: MAX_INDEX + 1 })).set.toString(),
} as const satisfies Option<string>;

/** What is meant by a reference and `--index` together; both naming tasks would leave one of them without effect. */
export function narrowed(verb: string, named: Named, index: string | undefined): Named {
  if (index === undefined) return named;
  if (named.index !== undefined) {
    throw new SpawnError('USAGE', {
      message: `${verb}: expected a whole job with --index, found tasks of job ${named.ref}`,
    });
  }
  return { ref: named.ref, index };
}
