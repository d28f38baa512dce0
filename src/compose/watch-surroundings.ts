import { statSync } from 'node:fs';
import type { Logger } from 'pino';
import type { DataFiles } from '../client/node/data-files.ts';
import { type ProcessRecord, readLiveRecord, readRecord } from '../client/node/process-record.ts';
import { startKeeper } from '../client/node/start-keeper.ts';
import type { Arguments } from './arguments.ts';
import { type Ending, EXIT_AGAIN } from './ending.ts';

/** How often the server looks whether its keeper, its record and its socket are still there. */
const LOOK_MS = 1_000;

/** The keeper watches the server, and the server watches what the keeper and the commands need to find it. */
export function watchSurroundings(
  place: Arguments,
  files: DataFiles,
  own: ProcessRecord,
  log: Logger,
  end: Ending,
): { stop(): void } {
  const socket = inodeOf(place.socketPath);
  let keeper: ReturnType<typeof startKeeper> | undefined;
  const onItsWay = () => keeper !== undefined && keeper.exitCode === null && keeper.signalCode === null;
  const timer = setInterval(() => {
    if (readRecord(files.server)?.pid !== own.pid) {
      log.warn('the data directory was removed');
      end.resolve(0);
    } else if (inodeOf(place.socketPath) !== socket) {
      log.warn('the socket was removed');
      end.resolve(EXIT_AGAIN);
    } else if (place.kept && readLiveRecord(files.keeper) === undefined && !onItsWay()) {
      log.warn('the keeper is gone; another is started');
      keeper = startKeeper(place);
    }
  }, LOOK_MS);
  return {
    stop() {
      clearInterval(timer);
      // One that has no record yet is seen by nobody, and would start a server again after the stop.
      if (onItsWay() && readLiveRecord(files.keeper)?.pid !== keeper?.pid) keeper?.kill('SIGKILL');
    },
  };
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}
