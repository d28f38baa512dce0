import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dataFiles } from '../client/node/data-files.ts';
import { nativeProgram, packageVersion } from '../client/node/package-files.ts';
import { identify, isAlive, signalProcess } from '../client/node/process-identity.ts';
import { type ProcessRecord, takePlace } from '../client/node/process-record.ts';
import { chooseSandbox } from '../client/node/sandbox-mode.ts';
import { readSandboxSetting } from '../config/instance-settings.ts';
import { createMachineHost } from '../providers/local/machine-host.ts';
import { runAgent } from '../worker/instances/main.ts';

/**
 * `spored instances`: the agent of all instances of this machine. Each shares the directories where logs and scripts are. Two of them would
 * take the machines from each other: the second one of a data directory ends at once.
 */
export function serveInstances([, ...argv]: string[]): Promise<number> {
  return runAgent(argv, {
    takePlace({ dataDir, server }) {
      const own: ProcessRecord = { ...identify(process.pid)!, version: packageVersion(), socketPath: server };
      try {
        return takePlace(dataFiles(dataDir).agentPlace, own)?.pid ?? 'taken';
      } catch {
        // On a full disk instances need an agent more than it needs a place.
        return 'unknown';
      }
    },
    beat({ dataDir }) {
      const path = dataFiles(dataDir).agentBeat;
      const now = new Date();
      try {
        // Needs no space once it is there.
        utimesSync(path, now, now);
      } catch {
        makeEmpty(path);
      }
    },
    untoldDir: ({ dataDir }) => dataFiles(dataDir).untoldDir,
    openMachines({ dataDir }, log) {
      const visible = ['logs', 'worker'].map((name) => join(dataDir, name));
      // A directory that is not there cannot be shown.
      for (const path of visible) mkdirSync(path, { recursive: true, mode: 0o700 });
      const mode = chooseSandbox(readSandboxSetting(process.env), nativeProgram('instance'));
      if (mode.kind === 'plain') log(`instances are not kept apart: ${mode.why}`);
      return createMachineHost({
        directory: dataFiles(dataDir).machinesDir,
        visible,
        processes: { isAlive, signal: signalProcess },
        isPlain: mode.kind === 'plain',
      });
    },
  });
}

function makeEmpty(path: string): void {
  try {
    writeFileSync(path, '', { mode: 0o600 });
  } catch {
    // On a full disk nobody can tell that it is well, nor is it ended for that.
  }
}
