import type { ServerView } from '../../api/server-view.ts';
import { packageVersion } from '../../client/node/package-files.ts';
import { isSpawnError } from '../../core/errors.ts';
import { shownDuration } from '../output/format.ts';
import type { World } from '../world.ts';
import { type Check, fail, info, ok, warn } from './check.ts';

/** Clocks of machines that are set by the network differ by less. */
const MAX_AHEAD_MS = 5_000;
/** No clock that is right shows an earlier time: this program is younger. */
const YOUNGEST = Date.UTC(2025, 0, 1);

/** Looks at the coordinator that commands would use. The embedded one is not started for it. */
export async function checkServer(world: World): Promise<Check[]> {
  const url = world.env.SPAWN_SERVER;
  try {
    if (!url) {
      const found = await (await world.server()).status();
      if (found === undefined) {
        return [
          info('coordinator', 'not running; it starts by itself when it is needed'),
          ...checkClock(undefined, world.now()),
        ];
      }
      return checksOf(found, world.now());
    }
    const server = await (await world.connect()).server({ retryForMs: 0 });
    return [...checkRemote(url, world.env), ...checksOf(server, world.now())];
  } catch (error) {
    if (!isSpawnError(error)) throw error;
    const advice = url
      ? 'check SPAWN_SERVER, its token and certificate, and the network between'
      : 'spawn server start';
    return [...(url ? checkRemote(url, world.env) : []), fail('coordinator', error.message, advice)];
  }
}

/** Exported for its test. */
export function checksOf(server: ServerView, now: number): Check[] {
  const own = packageVersion();
  const workers = server.sessions.filter(({ connected }) => connected);
  const running = `${server.version}, pid ${server.pid} on ${server.host}`;
  return [
    server.version === own
      ? ok('coordinator', running)
      : warn(
          'coordinator',
          `${running}; this program is ${own}`,
          'spawn server stop: the next command starts the new one',
        ),
    server.writable
      ? ok('store', 'can be written')
      : fail('store', 'refuses writes: no space left', 'free some space on its disk; it recovers by itself'),
    workers.length > 0
      ? ok('workers', `${workers.length} connected`)
      : warn('workers', 'none is connected', 'the embedded one comes back in a moment; else start spored'),
    ...checkDns(server.dns),
    ...checkClock(server.startedAt, now),
  ];
}

/** At another port than 53 no resolver finds it. */
function checkDns(dns: ServerView['dns']): Check[] {
  if (dns === undefined) return [info('DNS', 'the coordinator answers none; instances know each other by /etc/hosts')];
  const found = `${dns.address} port ${dns.port}, for ${dns.domain}`;
  if (dns.port === 53) return [ok('DNS', found)];
  return [info('DNS', `${found}: dig @${dns.address} -p ${dns.port}; instances know each other by /etc/hosts`)];
}

function checkClock(startedAt: number | undefined, now: number): Check[] {
  if (now < YOUNGEST)
    return [fail('clock', `${new Date(now).toISOString()} cannot be`, 'set the clock of this machine')];
  if (startedAt !== undefined && startedAt > now + MAX_AHEAD_MS) {
    const found = `the coordinator started ${shownDuration(startedAt - now)} in the future of this machine`;
    return [warn('clock', found, 'let the network set both clocks; times are shown wrong until then')];
  }
  return [ok('clock', new Date(now).toISOString())];
}

function checkRemote(url: string, env: World['env']): Check[] {
  const open = /^http:\/\/(?!127\.|localhost[:/]|localhost$|\[::1\])/i.test(url);
  return [
    open
      ? warn('connection', `${url} has no TLS`, 'whoever listens on the way reads all, the token too: use https')
      : ok('connection', url),
    env.SPAWN_TOKEN || env.SPAWN_TOKEN_FILE
      ? ok('token', env.SPAWN_TOKEN_FILE ? `from ${env.SPAWN_TOKEN_FILE}` : 'from SPAWN_TOKEN')
      : fail('token', 'none', 'set SPAWN_TOKEN_FILE to a file with the token; spawn token create makes one'),
  ];
}
