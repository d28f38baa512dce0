import { type Address, parseAddress } from '../core/address.ts';
import { checkDomain } from '../core/dns-label.ts';
import { parseDuration } from '../core/duration.ts';
import { SpawnError } from '../core/errors.ts';

type Env = Readonly<Record<string, string | undefined>>;

const LONGEST_DAYS = 3_650;
const DAY_MS = 86_400_000;

export interface InstanceSettings {
  /** What names of instances end in; default spore.host. */
  readonly domain: string;
  /** Where the DNS server listens; absent: a loopback address of its own, port 53 where allowed; `off`: nowhere. */
  readonly dnsListen: Address | 'off' | undefined;
  /** How long terminated instances are listed; default 7 days. */
  readonly retentionMs: number;
}

/**
 * From `SPAWN_DNS_DOMAIN`, `SPAWN_DNS_LISTEN` and `SPAWN_INSTANCE_RETENTION`. Read by the coordinator when it starts.
 *
 * @throws BAD_REQUEST
 */
export function readInstanceSettings(env: Env): InstanceSettings {
  return {
    domain: checkDomain(env.SPAWN_DNS_DOMAIN || 'spore.host', 'SPAWN_DNS_DOMAIN'),
    dnsListen: readListen(env.SPAWN_DNS_LISTEN),
    retentionMs: readRetention(env.SPAWN_INSTANCE_RETENTION || '7d'),
  };
}

/**
 * From `SPAWN_SANDBOX`: how instances are kept apart. Read by the agent of instances when it starts, and before that by the server, which refuses a
 * wrong one.
 *
 * @throws BAD_REQUEST
 */
export function readSandboxSetting({ SPAWN_SANDBOX: found }: Env): 'auto' | 'separate' | 'plain' {
  const kind = (['auto', 'separate', 'plain'] as const).find((one) => one === (found || 'auto'));
  if (kind !== undefined) return kind;
  throw new SpawnError('BAD_REQUEST', { where: 'SPAWN_SANDBOX', expected: 'auto, separate or plain', found });
}

/**
 * From `SPAWN_IGNORE_UNSUPPORTED`: as --ignore-unsupported on each launch. Read by the command.
 *
 * @throws BAD_REQUEST
 */
export function readIgnoreUnsupported({ SPAWN_IGNORE_UNSUPPORTED: found }: Env): boolean {
  if (!found || found === '0') return false;
  if (found === '1') return true;
  throw new SpawnError('BAD_REQUEST', { where: 'SPAWN_IGNORE_UNSUPPORTED', expected: '0 or 1', found });
}

function readListen(text: string | undefined): Address | 'off' | undefined {
  if (!text) return undefined;
  return text === 'off' ? 'off' : parseAddress(text, 'SPAWN_DNS_LISTEN');
}

function readRetention(found: string): number {
  const ms = durationOf(found);
  if (ms !== undefined && ms <= LONGEST_DAYS * DAY_MS) return ms;
  throw new SpawnError('BAD_REQUEST', {
    where: 'SPAWN_INSTANCE_RETENTION',
    expected: `a duration of at most ${LONGEST_DAYS}d`,
    found,
  });
}

function durationOf(text: string): number | undefined {
  try {
    return parseDuration(text);
  } catch {
    return undefined;
  }
}
