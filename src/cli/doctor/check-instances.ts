import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { nativeProgram } from '../../client/node/package-files.ts';
import { type Check, info, ok, warn } from './check.ts';

const TIME_MS = 20_000;

interface Allowed {
  readonly ok: boolean;
  readonly why?: string;
}

/** What `instance probe` prints. */
export interface Probe {
  /** Number of the user who asks. */
  readonly user: number;
  readonly namespaces: Allowed;
  readonly mount: Allowed;
  readonly overlay: Allowed;
  readonly processes: Allowed;
  readonly port53: Allowed;
  readonly memory: string;
  readonly cpu: string;
  readonly freeze: string;
}

/**
 * How far the kernel lets this user have instances of their own on this machine; it is tried, and undone.
 * @param setting SPAWN_SANDBOX
 */
export async function checkInstances(
  setting: string | undefined,
  program = nativeProgram('instance'),
): Promise<Check[]> {
  if (!existsSync(program)) {
    return [warn('instances', 'none here', 'install a C compiler and run npm ci, on Linux: spawn launch needs it')];
  }
  try {
    const { stdout } = await promisify(execFile)(program, ['probe'], { timeout: TIME_MS });
    return instanceChecks(JSON.parse(stdout) as Probe, setting);
  } catch (error) {
    return [warn('instances', (error as Error).message.trim().split('\n').at(-1)!, `run ${program} probe by hand`)];
  }
}

/** Exported for its test. */
export function instanceChecks(
  { user, namespaces, mount, overlay, processes, port53, ...kinds }: Probe,
  setting?: string,
): Check[] {
  const plain = setting === 'plain';
  const missing = Object.entries({ namespaces, mount, processes }).filter(([, allowed]) => !allowed.ok);
  const held = {
    memory:
      kinds.memory === 'sampled'
        ? 'memory looked at now and again'
        : `memory held by the kernel (cgroup ${kinds.memory})`,
    cpu: kinds.cpu === 'affinity' ? 'CPUs by affinity' : `CPUs held by the kernel (${kinds.cpu})`,
  };
  return [
    plain
      ? info('instances', 'not kept apart from this machine: SPAWN_SANDBOX=plain says so')
      : missing.length === 0
        ? ok('instances', `own names, files and processes; ${held.memory}; ${held.cpu}`)
        : warn(
            'instances',
            `without namespaces, not apart from this machine: ${missing.map(([name, { why }]) => `${name} (${why ?? 'refused'})`).join(', ')}`,
            `they run, and SPAWN_PEERS_FILE and the like say where their files are (docs/sandbox.md); to keep them apart ${
              user === 0
                ? 'give this container CAP_SYS_ADMIN, or run where mounts are allowed'
                : 'allow user namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone) and mounts, or run as root'
            }`,
          ),
    // What has no namespaces has no /etc of its own.
    ...(plain || missing.length > 0
      ? []
      : [
          overlay.ok
            ? ok('their /etc', 'an overlay of this machine’s')
            : info('their /etc', `made of links, as overlays are refused (${overlay.why ?? 'no reason given'})`),
        ]),
    port53.ok
      ? ok('DNS port', '53 is allowed, so that resolvers inside instances can reach the server')
      : info('DNS port', `53 is not allowed (${port53.why ?? 'refused'}): names are in /etc/hosts of each instance`),
  ];
}
