import type { Extent, PlannedSource } from '../plan/manifest.ts';
import type { Plan } from '../plan/reader.ts';
import type { OpenSource, SourceReader } from '../source.ts';

/** An extent with its source, open. */
export interface OpenExtent extends Extent {
  readonly row: PlannedSource;
  readonly open: OpenSource;
  /** The first of its source in this part. */
  readonly isFirst: boolean;
}

/**
 * The extents of a part in their order, each with its source open. Every source is asked for its state before the first byte and
 * after the last: one that has changed since it was planned throws INPUT_CHANGED.
 */
export async function* openExtents(
  plan: Plan,
  extents: AsyncIterable<Extent>,
  reader: SourceReader,
  signal: AbortSignal,
): AsyncIterable<OpenExtent> {
  let open: OpenSource | undefined;
  let [position, row]: [number, PlannedSource | undefined] = [-1, undefined];
  try {
    for await (const extent of extents) {
      signal.throwIfAborted();
      const isFirst = extent.source !== position;
      if (isFirst) {
        await open?.check(signal);
        await open?.close();
        open = undefined;
        position = extent.source;
        row = await plan.source(position);
        open = await reader.open(row, signal);
        await open.check(signal);
      }
      yield { ...extent, row: row!, open: open!, isFirst };
    }
    await open?.check(signal);
  } finally {
    await open?.close();
  }
}
