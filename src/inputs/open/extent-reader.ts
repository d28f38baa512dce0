import type { Extent, PlannedSource } from '../plan/manifest.ts';
import type { Plan } from '../plan/reader.ts';
import type { OpenSource, SourceReader } from '../source.ts';
import { gather, neighbours } from './gather.ts';

/** An extent with its source, open; or several extents of a source. */
export interface OpenExtent extends Extent {
  readonly row: PlannedSource;
  /** Its source. */
  readonly open: OpenSource;
  /** What `from` and `to` are places of: the source, or the bytes of several extents that were read together. */
  readonly data: OpenSource;
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
    for await (const run of neighbours(extents)) {
      const extent = run[0]!;
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
      const source = { source: position, row: row!, open: open!, isFirst };
      if (run.length === 1) yield { ...source, from: extent.from, to: extent.to, data: open! };
      else {
        const to = run.reduce((sum, one) => sum + one.to - one.from, 0);
        yield { ...source, from: 0, to, data: await gather(open!, run, signal) };
      }
    }
    await open?.check(signal);
  } finally {
    await open?.close();
  }
}
