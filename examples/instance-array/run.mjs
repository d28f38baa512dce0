// Estimates pi on eight instances, which share the work through a queue: see member.sh.
//   node examples/instance-array/run.mjs [FOLDER FOR THE RESULT]
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const INSTANCES = 8;

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const folder = resolve(process.argv[2] ?? here('out'));

rmSync(folder, { recursive: true, force: true });
mkdirSync(join(folder, 'blocks'), { recursive: true });

const array = ['--count', String(INSTANCES), '--job-array-name', 'pi', '--ttl', '15m', '--on-complete', 'terminate'];
const work = ['--user-data-file', here('member.sh'), '--cwd', folder, '--wait'];
const { status, error } = spawnSync(process.execPath, [here('../../dist/bin/spawn.js'), 'launch', ...array, ...work], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
if (error) throw error;
process.exit(status ?? 1);
