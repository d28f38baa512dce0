// Estimates pi: 1,000 simulations as one array, and an aggregate that starts once all of them have completed.
//   node examples/monte-carlo/run.mjs [FOLDER FOR THE RESULTS]
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const SIMULATIONS = 1_000;

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const folder = resolve(process.argv[2] ?? here('out'));
const estimates = join(folder, 'estimates');

/** Runs `spawn submit`; gives what it wrote to standard output. */
function submit(options, ...command) {
  const args = [here('../../dist/bin/spawn.js'), 'submit', ...options, '--', process.execPath, ...command];
  const { status, stdout, error } = spawnSync(process.execPath, args, {
    stdio: ['ignore', options.includes('--quiet') ? 'pipe' : 'inherit', 'inherit'],
    encoding: 'utf8',
  });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
  return stdout;
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

const array = ['--name', 'simulate', '--array', String(SIMULATIONS), '--quiet'];
const job = submit(array, here('simulate.mjs'), estimates).trim();
console.log(`job ${job}: ${SIMULATIONS} simulations`);

const after = ['--name', 'aggregate', '--after', `afterok:${job}`, '--wait', '--follow'];
submit(after, here('aggregate.mjs'), String(SIMULATIONS), estimates, join(folder, 'result.json'));
