import { nativeProgram } from '../../client/node/package-files.ts';
import { chooseSandbox } from '../../client/node/sandbox-mode.ts';
import { readSandboxSetting } from '../../config/instance-settings.ts';
import type { World } from '../world.ts';

/** What a launch on this machine should say where the kernel does not let instances be kept apart. */
export function sandboxNote(env: World['env']): string | undefined {
  // With a coordinator elsewhere only that knows the machine.
  if (env.SPAWN_SERVER) return undefined;
  const mode = chooseSandbox(readSandboxSetting(env), nativeProgram('instance'));
  if (mode.kind === 'separate') return undefined;
  return (
    `instances are not kept apart on this machine (${mode.why}): no host name, /etc, /tmp or process tree of their own; ` +
    'SPAWN_PEERS_FILE, SPAWN_HOSTFILE, SPAWN_ETC_DIR, SPAWN_RUN_DIR and TMPDIR say where their files are'
  );
}
