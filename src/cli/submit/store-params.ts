import { PARAM_PIECE_BYTES, type ParamTable, writeParamTable } from '../../api/param-table.ts';
import type { Client } from '../client.ts';

/** Pieces that are under way at once. */
const MOST_AT_ONCE = 4;
const NEWLINE = 1;

/**
 * Stores a table of parameters, a piece at a time as its rows come; gives what `paramTable` of a spec shall be.
 * @param rows the parameters of each task, in the order of their indices
 */
export async function storeParams(
  rows: Iterable<Readonly<Record<string, unknown>>> | AsyncIterable<Readonly<Record<string, unknown>>>,
  client: Pick<Client, 'putBlob'>,
): Promise<{ readonly hash: string; readonly rows: number }> {
  const pieces: Promise<readonly [hash: string, rows: number]>[] = [];
  let lines: string[] = [];
  let size = 0;
  let count = 0;
  const store = async () => {
    const [bytes, length] = [Buffer.from(lines.join('\n')), lines.length];
    [lines, size] = [[], 0];
    const piece = client.putBlob('params', bytes).then(({ hash }) => [hash, length] as const);
    // It is awaited in its turn.
    piece.catch(() => undefined);
    pieces.push(piece);
    await pieces[pieces.length - MOST_AT_ONCE];
  };
  for await (const row of rows) {
    const line = JSON.stringify(row);
    if (size > 0 && size + line.length > PARAM_PIECE_BYTES) await store();
    lines.push(line);
    size += line.length + NEWLINE;
    count += 1;
  }
  if (lines.length > 0) await store();
  const table: ParamTable = { version: 1, rows: count, pieces: await Promise.all(pieces) };
  return { hash: (await client.putBlob('params', writeParamTable(table))).hash, rows: count };
}
