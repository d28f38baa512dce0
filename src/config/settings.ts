import { isAbsolute, join, resolve } from 'node:path';

/** Longest path that fits `sun_path` of a Unix socket on Linux (108 bytes with the closing NUL); macOS has 104. */
export const MAX_SOCKET_PATH_BYTES = process.platform === 'darwin' ? 103 : 107;

/** Where the things of this user are. All paths are absolute. */
export interface Settings {
  /** Database, logs and stored scripts of the embedded coordinator. Default `~/.local/share/spawn`. */
  readonly dataDir: string;
  /** Folder of the socket and of what lives no longer than the machine runs; only its user may enter. */
  readonly runtimeDir: string;
  /** The embedded coordinator's socket: one for each data directory. Always short enough to be bound. */
  readonly socketPath: string;
  /** A coordinator elsewhere, from SPAWN_SERVER; absent: the embedded one. */
  readonly server?: string;
  /** Where `server start` listens besides the socket, from SPAWN_LISTEN; no other command opens a port. Default nowhere. */
  readonly listen?: string;
  /** Certificate and private key of that listener, in PEM: SPAWN_TLS_CERT, SPAWN_TLS_KEY. */
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  /** The token of a coordinator elsewhere, from SPAWN_TOKEN; a function, so that it is not shown with the rest. */
  readonly token?: () => string;
  /** A file with it, which nobody else may read, from SPAWN_TOKEN_FILE. */
  readonly tokenFile?: string;
  /** Certificates in PEM of who may have signed that of a coordinator elsewhere, from SPAWN_CA_FILE. */
  readonly caFile?: string;
}

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings from the environment:
 * - `SPAWN_DATA_DIR`, else `$XDG_DATA_HOME/spawn`, else `~/.local/share/spawn`
 * - `SPAWN_RUNTIME_DIR`, else `$XDG_RUNTIME_DIR/spawn`, else `/tmp/spawn-<uid>`
 * - `SPAWN_SERVER`, and for it `SPAWN_TOKEN` or `SPAWN_TOKEN_FILE`, and `SPAWN_CA_FILE`
 * - `SPAWN_LISTEN`, `SPAWN_TLS_CERT`, `SPAWN_TLS_KEY`: defaults of flags of `server start`
 *
 * An empty variable counts as not set. XDG variables must be absolute to count (XDG base directory specification);
 * SPAWN_* ones may be relative to the current directory. Reads nothing from disk and creates nothing.
 *
 * @param uid of the user, which keeps the users of one machine apart where there is no XDG_RUNTIME_DIR
 */
export function readSettings(env: Env, uid: number): Settings {
  const dataDir = named(env.SPAWN_DATA_DIR) ?? join(xdg(env.XDG_DATA_HOME) ?? join(home(env), '.local/share'), 'spawn');
  const sharedTmp = `/tmp/spawn-${uid}`;
  const xdgRuntime = xdg(env.XDG_RUNTIME_DIR);
  const wanted = named(env.SPAWN_RUNTIME_DIR) ?? (xdgRuntime === undefined ? sharedTmp : join(xdgRuntime, 'spawn'));
  const socketName = `${shortHash(dataDir)}.sock`;
  const fits = Buffer.byteLength(join(wanted, socketName)) <= MAX_SOCKET_PATH_BYTES;
  // The folder's own name goes into the hash, so that two long runtime folders do not meet in the short one.
  const socketPath = fits ? join(wanted, socketName) : join(sharedTmp, `${shortHash(`${wanted}\0${dataDir}`)}.sock`);
  const runtimeDir = fits ? wanted : sharedTmp;
  return { dataDir, runtimeDir, socketPath, ...readNetwork(env) };
}

type NetworkSettings = Omit<Settings, 'dataDir' | 'runtimeDir' | 'socketPath'>;

function readNetwork(env: Env): NetworkSettings {
  const { SPAWN_SERVER: server, SPAWN_LISTEN: listen, SPAWN_TOKEN: token } = env;
  const [tlsCert, tlsKey] = [named(env.SPAWN_TLS_CERT), named(env.SPAWN_TLS_KEY)];
  const [tokenFile, caFile] = [named(env.SPAWN_TOKEN_FILE), named(env.SPAWN_CA_FILE)];
  return {
    ...(server ? { server } : {}),
    ...(listen ? { listen } : {}),
    ...(tlsCert ? { tlsCert } : {}),
    ...(tlsKey ? { tlsKey } : {}),
    ...(token ? { token: () => token } : {}),
    ...(tokenFile ? { tokenFile } : {}),
    ...(caFile ? { caFile } : {}),
  };
}

function named(path: string | undefined): string | undefined {
  return path ? resolve(path) : undefined;
}

function xdg(path: string | undefined): string | undefined {
  return path && isAbsolute(path) ? path : undefined;
}

function home(env: Env): string {
  return env.HOME && isAbsolute(env.HOME) ? env.HOME : '/';
}

/** Tells folders of one user apart. FNV-1a: node:crypto would cost every command 3 ms, and nobody gains by a collision. */
function shortHash(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, '0').slice(-12);
}
