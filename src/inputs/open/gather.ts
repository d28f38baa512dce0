import type { Extent } from '../plan/manifest.ts';
import type { OpenSource } from '../source.ts';

/** Bytes between two extents that are read and thrown away rather than asked for apart. */
const MOST_GAP = 64 * 1024;
/** Bytes of the stretch that is read for several extents. */
const MOST_BYTES = 2 * 1024 * 1024;

/** Puts neighbours together that one reading can bring: the rows of a group may be a million stretches of a line each. */
export async function* neighbours(extents: AsyncIterable<Extent>): AsyncIterable<readonly Extent[]> {
  let run: Extent[] = [];
  for await (const extent of extents) {
    const [first, last] = [run[0], run.at(-1)];
    const isNear =
      first !== undefined &&
      last !== undefined &&
      extent.source === last.source &&
      extent.from >= last.to &&
      extent.from - last.to <= MOST_GAP &&
      extent.to - first.from <= MOST_BYTES;
    if (!isNear && run.length > 0) {
      yield run;
      run = [];
    }
    run.push(extent);
  }
  if (run.length > 0) yield run;
}

/** The bytes of neighbours, one behind the other, by one reading of all that is between the first and the last of them. */
export async function gather(open: OpenSource, run: readonly Extent[], signal: AbortSignal): Promise<OpenSource> {
  const begin = run[0]!.from;
  const all = Buffer.allocUnsafeSlow(run.at(-1)!.to - begin);
  let at = 0;
  for await (const chunk of open.read(begin, begin + all.length, signal)) {
    all.set(chunk, at);
    at += chunk.length;
  }
  // In place: what is taken is never before where it goes.
  let length = 0;
  for (const { from, to } of run) {
    all.copyWithin(length, from - begin, to - begin);
    length += to - from;
  }
  const bytes = all.subarray(0, length);
  return {
    source: open.source,
    async *read(from, to) {
      if (to > from) yield bytes.subarray(from, to);
    },
    check: (stop) => open.check(stop),
    close: async () => {},
  };
}
