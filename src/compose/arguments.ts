import { parseArgs } from 'node:util';
import { type ListenChoice, parseListen } from '../client/node/listen-record.ts';
import type { EmbeddedPlace } from '../client/node/start-keeper.ts';

/** What the server was started with. */
export interface Arguments extends EmbeddedPlace {
  /** Given to a server in the foreground; another one finds it in the data directory. */
  readonly listen: ListenChoice | undefined;
  /** A keeper started this server, so there must be one as long as it serves. */
  readonly kept: boolean;
}

export function readArguments(argv: string[]): Arguments {
  const { values } = parseArgs({
    args: argv,
    options: {
      'data-dir': { type: 'string' },
      'runtime-dir': { type: 'string' },
      socket: { type: 'string' },
      kept: { type: 'boolean', default: false },
      listen: { type: 'string' },
    },
  });
  const { 'data-dir': dataDir, 'runtime-dir': runtimeDir, socket: socketPath, kept, listen } = values;
  if (!dataDir || !runtimeDir || !socketPath) throw new Error('expected --data-dir, --runtime-dir and --socket');
  return { dataDir, runtimeDir, socketPath, kept, listen: listen === undefined ? undefined : parseListen(listen) };
}
