import { userInfo } from 'node:os';
import type { MachineOrder } from '../../api/instance-session.ts';
import { SpawnError } from '../../core/errors.ts';
import type { MachinePlaces } from '../provider.ts';
import { peersDirectory } from './sandbox-paths.ts';

/** Between TERM and KILL where nobody says otherwise: at the deadline, and when the init is told to end by a signal. */
export const GRACE_MS = 10_000;
/** Of everything in an instance, behind the programs that are its own: not that of whoever started the coordinator. */
export const INSTANCE_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface ConfigParts {
  readonly order: MachineOrder;
  readonly directory: string;
  /** Where `spored` and the forker are. */
  readonly programs: string;
  /** Directories that shall be seen inside. */
  readonly visible: readonly string[];
  /** Without namespaces. */
  readonly isPlain: boolean;
  readonly places: MachinePlaces;
}

/**
 * The text of machine.conf, which native/instance/conf.c reads: lines of a key, a blank and a value.
 *
 * @throws SpawnError LAUNCH_FAILED for a value that cannot be in a line
 */
export function configText({ order, directory, programs, visible, isPlain, places }: ConfigParts): string {
  const lines: [string, string | number][] = [
    ['id', order.id],
    ['hostname', order.name],
    ['bin', programs],
    ['peers', peersDirectory(directory, order.arrayId)],
    ...visible.map((path): [string, string] => ['visible', path]),
    ...(order.cwd.startsWith('/') ? [['cwd', order.cwd] as [string, string]] : []),
    ['memory', order.type.memoryBytes],
    ['cpus', Math.ceil(order.type.vcpus)],
    ['first-cpu', order.index * Math.ceil(order.type.vcpus)],
    ['ttl', Math.max(0, Math.round(order.ttlMs))],
    ['grace', GRACE_MS],
    ...(isPlain ? [['plain', places.run] as [string, string]] : []),
    ...plainEnvironment(places, isPlain).map((variable): [string, string] => ['env', variable]),
  ];
  for (const [key, value] of lines) {
    if (!/[\n\0]/.test(String(value)) && String(value) !== '') continue;
    const why = `${key}: expected a text of one line, found ${JSON.stringify(value)}`;
    throw new SpawnError('LAUNCH_FAILED', { name: order.name, why });
  }
  return lines.map(([key, value]) => `${key} ${value}\n`).join('');
}

/** What every process gets that is started from outside; /etc/spawn/environment adds to it. */
function plainEnvironment(places: MachinePlaces, isPlain: boolean): string[] {
  const { home, name, shell } = user();
  const lang = process.env.LANG ?? 'C.UTF-8';
  const path = `PATH=${places.bin}:${INSTANCE_PATH}`;
  const where = isPlain ? Object.entries(variablesOf(places)).map(([key, value]) => `${key}=${value}`) : [];
  return [path, ...where, `HOME=${home}`, `USER=${name}`, `LOGNAME=${name}`, `SHELL=${shell}`, `LANG=${lang}`];
}

/** Where things are that have no place of their own in the file system. */
function variablesOf({ etc, run, tmp }: MachinePlaces): Readonly<Record<string, string>> {
  return { SPAWN_ETC_DIR: etc, SPAWN_RUN_DIR: run, TMPDIR: tmp };
}

interface User {
  readonly home: string;
  readonly name: string;
  readonly shell: string;
}

/** This process stays who it is, and to look it up takes a while. */
let known: User | undefined;

function user(): User {
  known ??= findUser();
  return known;
}

function findUser(): User {
  try {
    const { homedir, username, shell } = userInfo();
    return { home: homedir, name: username, shell: shell ?? '/bin/sh' };
  } catch {
    // A number without a name is a user too.
    return { home: '/', name: String(process.getuid?.() ?? 0), shell: '/bin/sh' };
  }
}
