import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A user of the built program who has nothing in common with the one who runs the tests. */
export interface OwnHome {
  /** For the test's own files; removed by `close`. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  /** Runs a program of the repository, `dist/bin/spawn.js`, to its end. */
  run(program: string, ...args: string[]): SpawnSyncReturns<string>;
  /** Stops what this user has in the background. */
  close(): void;
}

export function ownHome(): OwnHome {
  const folder = mkdtempSync(join(tmpdir(), 'spawn-home-'));
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    HOME: folder,
    SPAWN_DATA_DIR: join(folder, 'data'),
    SPAWN_RUNTIME_DIR: join(folder, 'run'),
  };
  const run = (program: string, ...args: string[]) =>
    spawnSync(process.execPath, [join(root, program), ...args], { encoding: 'utf8', env, timeout: 280_000 });
  return {
    folder,
    env,
    run,
    close() {
      const stopped = run('dist/bin/spawn.js', 'server', 'stop');
      if (stopped.status !== 0) throw new Error(`the server did not stop: ${stopped.stderr}`);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
