import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseAddress } from '../../core/address.ts';
import { SpawnError } from '../../core/errors.ts';

/** What the last `server start` said of the network. Paths are absolute. */
export interface ListenChoice {
  /** `HOST:PORT` */
  readonly listen: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly plainHttp?: true;
}

/**
 * The choice of this data directory; undefined: no port is open. Whoever starts its server again, after a crash too, takes it.
 *
 * @throws FILE_UNREADABLE for a record that cannot be understood: a port must not silently stay closed, or be open without TLS
 */
export function readListen(path: string): ListenChoice | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new SpawnError('FILE_UNREADABLE', { path, why: message }, { cause: error });
  }
  try {
    return parseListen(text);
  } catch (cause) {
    const why = 'it is not what `spawn server start --listen` writes; `spawn server stop` removes it';
    throw new SpawnError('FILE_UNREADABLE', { path, why }, { cause });
  }
}

/** Of JSON; throws what is wrong with it. */
export function parseListen(text: string): ListenChoice {
  const { listen, tlsCert, tlsKey, plainHttp } = JSON.parse(text) as Record<string, unknown>;
  if (typeof listen !== 'string' || typeof tlsCert !== typeof tlsKey) throw new Error(`not a choice: ${text}`);
  return {
    listen,
    ...(typeof tlsCert === 'string' ? { tlsCert } : {}),
    ...(typeof tlsKey === 'string' ? { tlsKey } : {}),
    ...(plainHttp === true ? { plainHttp } : {}),
  };
}

/** As the server takes it. Errors: BAD_REQUEST for what is no address. */
export function toTcpOptions({ listen, tlsCert, tlsKey, plainHttp }: ListenChoice) {
  const tls = tlsCert === undefined || tlsKey === undefined ? {} : { tls: { certFile: tlsCert, keyFile: tlsKey } };
  return { ...parseAddress(listen, '--listen'), ...tls, plainHttp: plainHttp === true };
}

/** Whole or not at all. */
export function writeListen(path: string, choice: ListenChoice): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.tmp`;
  writeFileSync(draft, JSON.stringify(choice), { mode: 0o600 });
  renameSync(draft, path);
}

export function removeListen(path: string): void {
  rmSync(path, { force: true });
}

export function isSameListen(a: ListenChoice | undefined, b: ListenChoice | undefined): boolean {
  return (
    a?.listen === b?.listen && a?.tlsCert === b?.tlsCert && a?.tlsKey === b?.tlsKey && a?.plainHttp === b?.plainHttp
  );
}
