import { join } from 'node:path';
import { dataFiles } from './data-files.ts';
import { readLiveRecord } from './process-record.ts';
import { type EmbeddedPlace, startKeeper } from './start-keeper.ts';

/** A keeper that was started has this long to appear before another is. */
const PATIENCE_MS = 5_000;

/**
 * For a local worker that cannot reach its coordinator: what to do each time. A keeper brings a dead server back by itself;
 * when both were killed, and this worker's own record shows that nobody stopped them or removed their data, it starts a
 * keeper.
 *
 * @param start default: the built keeper
 */
export function keeperReviver(place: EmbeddedPlace, instance: string, start = startKeeper): () => void {
  const files = dataFiles(place.dataDir);
  let startedMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (performance.now() - startedMs < PATIENCE_MS) return;
    if (readLiveRecord(files.keeper) !== undefined || readLiveRecord(files.server) !== undefined) return;
    if (readLiveRecord(join(files.instancesDir, `${instance}.json`))?.pid !== process.pid) return;
    startedMs = performance.now();
    start(place);
  };
}
