import { httpTransport, isOpenToOthers } from '../client/node/http-transport.ts';
import { checkToken, readCaFile, readTokenFile } from '../client/node/secret-files.ts';
import type { Transport } from '../client/transport.ts';
import type { Settings } from '../config/settings.ts';

/**
 * To a coordinator elsewhere, with the token and the certificates that the settings name.
 *
 * @param announce gets a warning when others can read the token on its way
 */
export function remoteTransport(settings: Settings, server: string, announce: (line: string) => void): Transport {
  const token = readToken(settings);
  const { caFile } = settings;
  const transport = httpTransport(server, {
    ...(token === undefined ? {} : { token }),
    ...(caFile === undefined ? {} : { ca: readCaFile(caFile, 'SPAWN_CA_FILE') }),
  });
  if (token !== undefined && isOpenToOthers(server)) {
    announce(`spawn: warning: ${transport.address} has no TLS: whoever can listen on the way can take the token`);
  }
  return transport;
}

function readToken({ token, tokenFile }: Settings): string | undefined {
  // The file may be a setting of all commands, the variable is of this one.
  if (token !== undefined) return checkToken(token().trim(), 'SPAWN_TOKEN');
  return tokenFile === undefined ? undefined : readTokenFile(tokenFile, 'SPAWN_TOKEN_FILE');
}
