import { dirname, join, relative } from 'node:path';
import { SpawnError } from '../../core/errors.ts';
import type { MachinePlaces } from '../provider.ts';

/** What is where in the directory of an instance; docs/sandbox.md says what each is for. */
export const IN_SANDBOX = {
  order: 'order.json',
  /** Its being there asks for a start; the init removes it once it is up. */
  start: 'start',
  config: 'machine.conf',
  /** What the agent keeps. */
  memory: 'agent.jsonl',
  /** Leads to the directory of its array, also inside: below /etc there. The same name is in native/instance/mounts.c. */
  array: '.spawn-array',
  tmp: 'tmp',
  log: 'log',
  /** /etc/spawn */
  spawn: 'spawn',
  /** /run/spawn */
  run: 'run',
  etc: 'etc',
} as const;

/** Below `run`; the first three are written by the init. */
export const IN_RUN = {
  init: 'init',
  ended: 'ended',
  cgroup: 'cgroup',
  /** Without namespaces: its init saw the end of all its processes. */
  clean: 'clean',
  initSocket: 'init.sock',
  agentSocket: 'agent.sock',
  execSocket: 'exec.sock',
} as const;

/** In the directory of an array, which is /run/spawn/peers inside. */
export const IN_ARRAY = {
  files: '.files',
} as const;

/** Beside the directories of the instances, which have no name that begins with a dot. */
export const BESIDE = {
  programs: '.bin',
  arrays: '.arrays',
  shared: '.shared',
  /** Directories of instances that are gone, until they are removed. */
  gone: '.gone',
  /** Written after each change, so that who watches the directory looks. */
  poke: '.poke',
} as const;

/** Directories of which an instance has its own; what lies below one of them outside is not where it was. The same list is in native/instance/mounts.c. */
const COVERED = ['/tmp', '/var/log', '/run', '/dev/shm'];
const OUTSIDE = '/run/spawn/outside';

function liesIn(path: string, folder: string): boolean {
  const rest = relative(folder, path);
  return rest === '' || !(rest === '..' || rest.startsWith('../'));
}

/**
 * Where a directory of this machine is seen in an instance.
 *
 * @param visible what was made visible there when it was started
 * @throws SpawnError INTERNAL for one that is not
 */
export function pathInside(path: string, visible: readonly string[]): string {
  if (!COVERED.some((folder) => liesIn(path, folder))) return path;
  if (visible.some((folder) => liesIn(path, folder))) return OUTSIDE + path;
  throw new SpawnError('INTERNAL', {
    why: `${path} is not visible in instances: expected one below ${visible.join(', ')}`,
  });
}

/** What an instance sees of its own, without namespaces (`plain`) where it is outside. */
export function placesOf(directory: string, programs: string, isPlain: boolean): MachinePlaces {
  if (!isPlain)
    return { bin: '/run/spawn/bin', etc: '/etc/spawn', run: '/run/spawn', log: '/var/log', tmp: '/tmp', isOwn: true };
  const at = (name: string) => join(directory, name);
  return {
    bin: programs,
    etc: at(IN_SANDBOX.spawn),
    run: at(IN_SANDBOX.run),
    log: at(IN_SANDBOX.log),
    tmp: at(IN_SANDBOX.tmp),
    isOwn: false,
  };
}

/** Where the sockets of the members of one array are. */
export function peersDirectory(directory: string, arrayId: string): string {
  return join(dirname(directory), BESIDE.arrays, arrayId);
}
