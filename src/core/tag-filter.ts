import { SpawnError } from './errors.ts';
import { didYouMean } from './nearest.ts';

/** `--tag key=value`: instances that have exactly this tag. */
export interface TagFilter {
  readonly key: string;
  readonly value: string;
}

/** Short forms of the tags of an array. */
const ALIASES: Readonly<Record<string, string>> = {
  'array:id': 'spawn:job-array-id',
  'array:name': 'spawn:job-array-name',
  'array:index': 'spawn:job-array-index',
  'array:size': 'spawn:job-array-size',
};

/**
 * Reads `k=v`; `array:id=X` stands for `spawn:job-array-id=X`, and `name`, `index` and `size` likewise. The value may be empty and may
 * hold `=`.
 *
 * @throws BAD_REQUEST at `where`
 */
export function parseTagFilter(text: string, where = 'tag'): TagFilter {
  const at = text.indexOf('=');
  if (at < 1) throw new SpawnError('BAD_REQUEST', { where, expected: 'key=value', found: text });
  const key = text.slice(0, at);
  if (key.startsWith('array:') && !Object.hasOwn(ALIASES, key)) {
    const names = Object.keys(ALIASES);
    const expected = `one of ${names.join(', ')}${didYouMean(key, names)}`;
    throw new SpawnError('BAD_REQUEST', { where, expected, found: key });
  }
  return { key: Object.hasOwn(ALIASES, key) ? ALIASES[key]! : key, value: text.slice(at + 1) };
}

/** Whether tags fulfil all of the filters. */
export function matchesTags(filters: readonly TagFilter[], tags: Readonly<Record<string, string>>): boolean {
  return filters.every(({ key, value }) => Object.hasOwn(tags, key) && tags[key] === value);
}
