import { readLines } from './lines.ts';

/** One JSON value a line; empty lines are skipped. Throws SyntaxError for a line that is not JSON, RangeError for one too long. */
export async function* readNdjson(
  chunks: AsyncIterable<Uint8Array>,
  maxLineBytes?: number,
): AsyncGenerator<unknown, void, undefined> {
  for await (const line of readLines(chunks, maxLineBytes)) {
    if (line !== '') yield JSON.parse(line);
  }
}
