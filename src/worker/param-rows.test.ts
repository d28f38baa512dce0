import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { until } from '../../test/support/until.ts';
import { writeParamTable } from '../api/param-table.ts';
import { SpawnError } from '../core/errors.ts';
import { ParamRows, type Row } from './param-rows.ts';

/** A table of so many pieces of three rows, and what was fetched of it. */
function tableOf(pieces: readonly string[]) {
  const blobs = new Map<string, Uint8Array>();
  const put = (bytes: Uint8Array) => {
    const hash = createHash('sha256').update(bytes).digest('hex');
    blobs.set(hash, bytes);
    return hash;
  };
  const hashes = pieces.map((text) => put(new TextEncoder().encode(text)));
  const rows = pieces.map((text) => text.split('\n').length);
  const sum = rows.reduce((all, one) => all + one, 0);
  const table = put(writeParamTable({ version: 1, rows: sum, pieces: hashes.map((hash, at) => [hash, rows[at]!]) }));
  return { blobs, hashes, table };
}

function open(table: string | undefined, blob: (hash: string) => Promise<Uint8Array>, shared = {}) {
  const fetched: string[] = [];
  const over = new AbortController();
  let told = 0;
  const failed: unknown[] = [];
  const rows = new ParamRows({
    shared,
    table,
    files: {
      blob: async (hash) => {
        fetched.push(hash);
        return await blob(hash);
      },
    },
    onHere: () => told++,
    onFailed: (error) => failed.push(error),
    signal: over.signal,
  });
  return { rows, fetched, failed, over, told: () => told };
}

const PIECES = ['{"n":"0"}\n{"n":"1"}\n{"n":"2"}', '{"n":"3"}\n{"n":"4","shared":"own"}'];

describe('rows of a table', () => {
  test('come piece by piece, each once, over what all tasks share', async () => {
    const { blobs, table, hashes } = tableOf(PIECES);
    const { rows, fetched, told } = open(table, async (hash) => blobs.get(hash)!, { shared: 'all' });
    expect(rows.at(1)).toBeUndefined();
    expect(rows.at(0)).toBeUndefined();
    await until('the piece', () => told() > 0);
    expect(rows.at(1)).toEqual({ params: { shared: 'all', n: '1' } });
    expect(rows.at(2)).toEqual({ params: { shared: 'all', n: '2' } });
    expect(await rows.rowOf(4)).toEqual({ params: { shared: 'own', n: '4' } });
    expect(rows.at(3)).toEqual({ params: { shared: 'all', n: '3' } });
    expect(fetched).toEqual([table, ...hashes]);
  });

  test('are fetched again when others were needed since', async () => {
    const { blobs, table, hashes } = tableOf(Array.from({ length: 12 }, (_, n) => `{"n":"${n}"}`));
    const { rows, fetched } = open(table, async (hash) => blobs.get(hash)!);
    for (const n of [...Array(12).keys(), 0]) expect(await rows.rowOf(n)).toEqual({ params: { n: String(n) } });
    expect(fetched.filter((hash) => hash === hashes[0])).toHaveLength(2);
    expect(fetched.filter((hash) => hash === hashes[11])).toHaveLength(1);
  });

  test('are tried again while nobody answers', async () => {
    const { blobs, table } = tableOf(PIECES);
    let calls = 0;
    const { rows, failed } = open(table, async (hash) => {
      if (++calls === 2) throw new SpawnError('SERVER_UNREACHABLE', { address: 'x' });
      return blobs.get(hash)!;
    });
    expect(await rows.rowOf(3)).toEqual({ params: { n: '3' } });
    expect(failed).toHaveLength(1);
  });

  test.each<[string, (at: ReturnType<typeof tableOf>, hash: string) => Uint8Array, string]>([
    [
      'a table that is gone',
      ({ table }, hash) => {
        throw new SpawnError('FILE_NOT_FOUND', { path: hash === table ? 'table' : 'piece' });
      },
      'file "table" not found',
    ],
    ['what is no table', () => new TextEncoder().encode('{}'), 'is no table of parameters'],
    [
      'a piece that is gone',
      ({ blobs, table }, hash) => {
        if (hash === table) return blobs.get(hash)!;
        throw new SpawnError('FILE_NOT_FOUND', { path: 'piece' });
      },
      'file "piece" not found',
    ],
    [
      'a line that is no object',
      ({ blobs, table }, hash) => (hash === table ? blobs.get(hash)! : new TextEncoder().encode('7\n8\n9')),
      'it is no object',
    ],
  ])('%s: the task is told why', async (_, give, why) => {
    const at = tableOf(PIECES);
    const { rows, told } = open(at.table, async (hash) => give(at, hash));
    const missing = { missing: expect.stringContaining(why) } as unknown as Row;
    expect(rows.at(0)).toBeUndefined();
    await until('the answer', () => told() > 0);
    expect(rows.at(0)).toEqual(missing);
    expect(await rows.rowOf(0)).toEqual(missing);
  });

  test('end with the session', async () => {
    const { table } = tableOf(PIECES);
    const { rows, over } = open(table, async () => {
      over.abort();
      throw new SpawnError('SERVER_UNREACHABLE', { address: 'x' });
    });
    await expect(rows.rowOf(0)).rejects.toThrow();
  });

  test('without a table all tasks have the same', async () => {
    const { rows } = open(undefined, () => Promise.reject(new Error('asked')), { a: 1 });
    expect([rows.at(7), await rows.rowOf(8)]).toEqual([{ params: { a: 1 } }, { params: { a: 1 } }]);
  });
});
