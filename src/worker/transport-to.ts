import { httpTransport, isOpenToOthers } from '../client/node/http-transport.ts';
import { readCaFile, readTokenFile } from '../client/node/secret-files.ts';
import { unixTransport } from '../client/node/unix-transport.ts';
import type { Transport } from '../client/transport.ts';
import type { WorkerFlags } from './flags.ts';

/**
 * How this worker reaches its server. The files are read at once, so that a wrong one is said at once, and the token again before each hello:
 * one that was replaced is used from the next session on.
 *
 * @param say takes a line for a person
 * @throws FILE_NOT_FOUND, FILE_UNREADABLE, BAD_REQUEST
 */
export function transportTo(
  { server, tokenFile, caFile }: Pick<WorkerFlags, 'server' | 'tokenFile' | 'caFile'>,
  say: (line: string) => void,
): Transport {
  if (server.startsWith('unix:')) return unixTransport(server.slice('unix:'.length));
  const ca = caFile === undefined ? {} : { ca: readCaFile(caFile, '--ca-file') };
  if (tokenFile === undefined) return httpTransport(server, ca);
  if (isOpenToOthers(server)) say(`others can read the token on its way to ${server}: use https`);
  let token = readTokenFile(tokenFile, '--token-file');
  // Whoever writes another one may not have come to its end; that it is wrong must not end this worker, for which the old one may still do.
  const readAgain = (): string => {
    try {
      return readTokenFile(tokenFile, '--token-file');
    } catch (error) {
      say(`${(error as Error).message}; the token that was read before is used`);
      return token;
    }
  };
  let transport = httpTransport(server, { ...ca, token });
  return {
    address: transport.address,
    async request(request) {
      if (request.method === 'POST' && request.path === '/v1/sessions') {
        const now = readAgain();
        if (now !== token) {
          transport.close();
          token = now;
          transport = httpTransport(server, { ...ca, token });
        }
      }
      return transport.request(request);
    },
    close: () => transport.close(),
  };
}
