import { SpawnError } from '../../core/errors.ts';
import { checkOutputPath } from '../../core/output-path.ts';

const LONGEST = 4_096;

/** A file name pattern for a copy of a task's output. */
export function outputPattern(text: string, where: string): string {
  const bad = (expected: string, found: unknown = text): never => {
    throw new SpawnError('BAD_REQUEST', { where, expected, found });
  };
  if (text === '') bad('a file name');
  if (text.length > LONGEST) bad(`at most ${LONGEST} characters`, text.length);
  checkOutputPath(text, where);
  return text;
}
