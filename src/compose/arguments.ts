import { parseArgs } from 'node:util';
import { type ListenChoice, parseListen } from '../client/node/listen-record.ts';
import { type EmbeddedPlace, PLACE_OPTIONS, toPlace } from '../client/node/start-keeper.ts';

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
      ...PLACE_OPTIONS,
      kept: { type: 'boolean', default: false },
      listen: { type: 'string' },
    },
  });
  const { kept, listen } = values;
  return { ...toPlace(values), kept, listen: listen === undefined ? undefined : parseListen(listen) };
}
