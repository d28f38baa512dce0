import { ensureServer, findServer } from '../client/node/ensure-server.ts';
import { stopServer } from '../client/node/stop-server.ts';
import type { Settings } from '../config/settings.ts';
import type { ServerControl } from './world.ts';

/** Controls the embedded coordinator that the settings mean. */
export function serverControl(settings: Settings): ServerControl {
  return {
    start: () => ensureServer(settings),
    serveHere: async () => (await import('./serve-here.ts')).serveHere(settings),
    stop: () => stopServer(settings),
    status: async () => {
      const found = await findServer(settings);
      return found?.kind === 'up' ? found.server : undefined;
    },
  };
}
