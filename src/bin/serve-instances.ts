import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { dataFiles } from '../client/node/data-files.ts';
import { isAlive, signalProcess } from '../client/node/process-identity.ts';
import { createMachineHost } from '../providers/local/machine-host.ts';
import { runAgent } from '../worker/instances/main.ts';

/** `spored instances`: the agent of all instances of this machine. Each shares the directories where logs and scripts are. */
export function serveInstances([, ...argv]: string[]): Promise<number> {
  return runAgent(argv, {
    openMachines({ dataDir }) {
      const visible = ['logs', 'worker'].map((name) => join(dataDir, name));
      // A directory that is not there cannot be shown.
      for (const path of visible) mkdirSync(path, { recursive: true, mode: 0o700 });
      return createMachineHost({
        directory: dataFiles(dataDir).machinesDir,
        visible,
        processes: { isAlive, signal: signalProcess },
      });
    },
  });
}
