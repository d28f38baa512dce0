// Makes sure that the Node which this repository brings is there after `npm ci`.
// The package `node` fetches the binary of this platform in an install script, and npm can be told not to run those.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), 'node_modules/node');
const binary = join(folder, 'bin/node');

// Without the package this is an install without devDependencies, which must bring its own Node.
if (existsSync(folder) && !existsSync(binary)) {
  console.log('Fetching the Node that this repository uses (its install script was not run).');
  const fetched = spawnSync(process.execPath, ['installArchSpecificPackage.js'], { cwd: folder, stdio: 'inherit' });
  if (fetched.error) throw fetched.error;
  process.exitCode = fetched.status ?? 1;
}
