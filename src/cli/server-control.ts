import { ensureServer, findServer } from '../client/node/ensure-server.ts';
import { startListening } from '../client/node/start-listening.ts';
import { stopServer } from '../client/node/stop-server.ts';
import type { Settings } from '../config/settings.ts';
import { chooseListen } from './choose-listen.ts';
import type { ServerControl } from './world.ts';

/** Controls the embedded coordinator that the settings mean. */
export function serverControl(settings: Settings): ServerControl {
  return {
    start: async (flags) => {
      const choice = chooseListen(flags, settings);
      return choice === undefined ? await ensureServer(settings) : await startListening(settings, choice);
    },
    serveHere: async (flags) => {
      const choice = chooseListen(flags, settings);
      return (await import('./serve-here.ts')).serveHere(settings, choice);
    },
    stop: () => stopServer(settings),
    status: async () => {
      const found = await findServer(settings);
      return found?.kind === 'up' ? found.server : undefined;
    },
  };
}
