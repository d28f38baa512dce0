import type { ServerView } from '../../api/server-view.ts';
import { SpawnError } from '../../core/errors.ts';
import { dataFiles } from './data-files.ts';
import { type EnsuredServer, type EnsureOptions, ensureServer, findServer } from './ensure-server.ts';
import { isSameListen, type ListenChoice, readListen, removeListen, writeListen } from './listen-record.ts';
import { makePrivateDirectory } from './private-directory.ts';
import type { EmbeddedPlace } from './start-keeper.ts';

/**
 * Starts the server of this place so that it listens on TCP as well; it does so after a crash too, until it is stopped.
 *
 * @throws CONFLICT when one runs that listens elsewhere or not at all, and what ensureServer throws; the choice of before holds then
 */
export async function startListening(
  place: EmbeddedPlace,
  choice: ListenChoice,
  options: EnsureOptions = {},
): Promise<EnsuredServer> {
  const files = dataFiles(place.dataDir);
  makePrivateDirectory(place.runtimeDir);
  makePrivateDirectory(files.runDir);
  const before = choiceOf(files.listen);
  const running = await findServer(place);
  if (running?.kind === 'up') {
    if (!isSameListen(before, choice) || running.server.listens === undefined) throw conflict(choice, running.server);
    return await ensureServer(place, options);
  }
  writeListen(files.listen, choice);
  try {
    const found = await ensureServer(place, options);
    // Another command was faster, and started one without.
    if (found.server.listens === undefined) throw conflict(choice, found.server);
    return found;
  } catch (error) {
    if (before === undefined) removeListen(files.listen);
    else writeListen(files.listen, before);
    throw error;
  }
}

/** What cannot be read is replaced. */
function choiceOf(path: string): ListenChoice | undefined {
  try {
    return readListen(path);
  } catch {
    return undefined;
  }
}

function conflict({ listen }: ListenChoice, { pid, listens }: ServerView): SpawnError {
  const now = listens === undefined ? 'has no port open' : `listens on ${listens.join(', ')} with other options`;
  const found = `one that ${now} (pid ${pid}); stop it first: spawn server stop`;
  return new SpawnError('CONFLICT', { what: 'server', expected: `one that listens on ${listen}`, found });
}
