// Makes sure that the Node which this repository brings is there after `npm ci`.
// The package `node` fetches the binary of this platform in an install script, and npm can be told not to run those.
import { spawnSync } from 'node:child_process';
import { existsSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const modules = join(dirname(dirname(fileURLToPath(import.meta.url))), 'node_modules');
const folder = join(modules, 'node');
const binary = join(folder, 'bin/node');
const link = join(modules, '.bin/node');

// Without the package this is an install without devDependencies, which must bring its own Node.
if (existsSync(folder) && !existsSync(binary)) {
  console.log('Fetching the Node that this repository uses (its install script was not run).');
  const fetched = spawnSync(process.execPath, ['installArchSpecificPackage.js'], { cwd: folder, stdio: 'inherit' });
  if (fetched.error) throw fetched.error;
  if (fetched.status !== 0) process.exit(fetched.status ?? 1);
  // npm makes this link at install, but only to a file that is there. It is what puts this Node first in npm scripts.
  if (!existsSync(link)) symlinkSync('../node/bin/node', link);
}
