import type { TaskView } from '../api/job.ts';
import type { JobSpec } from '../api/job-spec.ts';
import { findParamRow, readParamTable } from '../api/param-table.ts';
import { type Params, readParamLine } from '../core/params.ts';
import type { Blobs } from '../objects/log-reader.ts';

/** Adds what parameters the tasks have. A row that cannot be read is left out: the log of its task says why. */
export async function addParams(
  blobs: Blobs,
  { params: shared = {}, paramTable }: JobSpec,
  positions: readonly number[],
  views: readonly TaskView[],
): Promise<void> {
  const rowOf = paramTable === undefined ? async () => ({}) : await openTable(blobs, paramTable);
  for (const [at, position] of positions.entries()) {
    const params = { ...shared, ...(await rowOf(position)) };
    if (Object.keys(params).length > 0) views[at]!.params = params;
  }
}

/** Positions that are asked for ascend, so one piece at a time is in memory. */
async function openTable(blobs: Blobs, hash: string): Promise<(position: number) => Promise<Params>> {
  const table = readParamTable((await blobs.get(hash))?.bytes ?? new Uint8Array());
  let open = -1;
  let lines: readonly string[] = [];
  return async (position) => {
    if (table === undefined || position >= table.rows) return {};
    const { piece, at } = findParamRow(table, position);
    if (piece !== open) {
      const found = await blobs.get(table.pieces[piece]![0]);
      lines = found === undefined ? [] : new TextDecoder().decode(found.bytes).split('\n');
      open = piece;
    }
    try {
      return readParamLine(lines[at] ?? '');
    } catch {
      return {};
    }
  };
}
