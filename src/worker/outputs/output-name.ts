import { SpawnError } from '../../core/errors.ts';

const MOST_NAME_BYTES = 1_024;
const MOST_WORD_BYTES = 255;
/** Where what is not finished lies, below an output directory. */
export const UNFINISHED = '.spawn';

/** What stands for a task in the name of a file. */
export interface NameFacts {
  readonly index: number;
  readonly position: number;
  readonly attempt: number;
  /** The file or group that its part belongs to; empty without one. */
  readonly batch: string;
}

/** `part-000007.out` of `part-{index:06}.out`: each sign is one word of the path, so that it cannot lead into another directory. */
export function fillName(pattern: string, { index, position, attempt, batch }: NameFacts): string {
  const values = { index, ordinal: position, attempt, batch: wordOf(batch) };
  return pattern.replace(/\{(index|ordinal|attempt|batch)(?::0?(\d{1,2}))?\}/g, (_, name, width) =>
    String(values[name as keyof typeof values]).padStart(Number(width ?? 0), '0'),
  );
}

/** The last part of what it is called, without what a path cannot have. */
function wordOf(batch: string): string {
  const last = batch.split('/').at(-1) ?? '';
  const word = last.replaceAll(/\p{Cc}/gu, '_');
  return word === '' || word === '.' || word === '..' ? '_' : word;
}

/**
 * The same name when it lies below the output, wherever that is.
 * @throws BAD_REQUEST
 */
export function confined(name: string, where: string): string {
  const refuse = (expected: string): never => {
    throw new SpawnError('BAD_REQUEST', { where, expected, found: name.slice(0, 200) });
  };
  const words = name.split('/');
  if (name === '' || name.startsWith('/')) refuse('the relative path of a file');
  if (words.some((word) => word === '' || word === '.' || word === '..'))
    refuse('a path without empty words, . and ..');
  if (/\p{Cc}/u.test(name) || !name.isWellFormed()) refuse('a path without control characters');
  if (words[0] === UNFINISHED) refuse(`a path that does not begin with ${UNFINISHED}`);
  if (Buffer.byteLength(name) > MOST_NAME_BYTES) refuse(`at most ${MOST_NAME_BYTES} bytes`);
  if (words.some((word) => Buffer.byteLength(word) > MOST_WORD_BYTES))
    refuse(`words of at most ${MOST_WORD_BYTES} bytes`);
  return name;
}
