import type { ListenChoice } from '../client/node/listen-record.ts';
import type { Settings } from '../config/settings.ts';
import { isLoopback, parseAddress } from '../core/address.ts';
import { SpawnError } from '../core/errors.ts';
import type { ListenFlags } from './world.ts';

type Defaults = Pick<Settings, 'listen' | 'tlsCert' | 'tlsKey'>;

/** What `server start` is to listen on besides its socket; flags come before settings. Errors: USAGE, BAD_REQUEST. */
export function chooseListen(flags: ListenFlags, defaults: Defaults): ListenChoice | undefined {
  const listen = flags.listen ?? defaults.listen;
  const { plainHttp } = flags;
  if (listen === undefined) {
    const [surplus] = Object.entries({
      '--tls-cert': flags.tlsCert,
      '--tls-key': flags.tlsKey,
      '--plain-http': plainHttp,
    })
      .filter(([, value]) => value !== undefined && value !== false)
      .map(([name]) => name);
    if (surplus !== undefined) refuse(`expected ${surplus} with --listen only`);
    return undefined;
  }
  const where = flags.listen === undefined ? 'SPAWN_LISTEN' : '--listen';
  const { host } = parseAddress(listen, where);
  if (plainHttp && (flags.tlsCert !== undefined || flags.tlsKey !== undefined)) {
    refuse('expected --plain-http or a certificate, found both');
  }
  if (plainHttp) return { listen, plainHttp };
  const tlsCert = flags.tlsCert ?? defaults.tlsCert;
  const tlsKey = flags.tlsKey ?? defaults.tlsKey;
  if (tlsCert !== undefined && tlsKey !== undefined) return { listen, tlsCert, tlsKey };
  if (tlsCert !== undefined || tlsKey !== undefined) {
    refuse(`expected --tls-cert and --tls-key together, found --tls-${tlsCert === undefined ? 'key' : 'cert'} alone`);
  }
  if (!isLoopback(host)) {
    refuse(
      `expected --tls-cert and --tls-key with ${where} ${listen}, which others can reach; or --plain-http on a network ` +
        'that you trust: tokens and all else can be read there',
    );
  }
  return { listen };
}

function refuse(what: string): never {
  throw new SpawnError('USAGE', { message: `server start: ${what}` });
}
