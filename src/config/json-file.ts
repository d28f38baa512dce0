import { SpawnError } from '../core/errors.ts';
import { findJsonFault } from '../core/json-position.ts';

/**
 * Parses the text of a file as a JSON object.
 * @param path as errors call it
 * @throws SpawnError USAGE with `path:line:column`
 */
export function parseJsonObject(path: string, text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw jsonFault(path, text, cause);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new SpawnError('BAD_REQUEST', { where: path, expected: 'a JSON object', found: value });
}

/** Where the text of a file is no JSON, as an error for its user; `cause` itself where that is not known. */
export function jsonFault(path: string, text: string, cause: unknown): unknown {
  const fault = findJsonFault(text);
  if (fault === undefined) return cause;
  const { line, column, expected, found } = fault;
  const shown = found === '' ? 'the end' : JSON.stringify(found);
  return new SpawnError('USAGE', { message: `${path}:${line}:${column}: expected ${expected}, found ${shown}` });
}
