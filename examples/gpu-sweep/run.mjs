// Tries twelve settings of a model, two tasks on a GPU; two tasks are tried before the others.
//   node examples/gpu-sweep/run.mjs [FOLDER FOR THE RESULTS [PENGUINS.JSON]]
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { grid } from './grid.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const folder = resolve(process.argv[2] ?? here('out'));
const data = resolve(process.argv[3] ?? here('../../node_modules/vega-datasets/data/penguins.json'));
const results = join(folder, 'results');

/** Runs `spawn submit`; gives what it wrote to standard output. */
function submit(options, ...command) {
  const args = [here('../../dist/bin/spawn.js'), 'submit', ...options, '--', process.execPath, ...command];
  const stdout = options.includes('--quiet') ? 'pipe' : 'inherit';
  const ran = spawnSync(process.execPath, args, { stdio: ['ignore', stdout, 'inherit'], encoding: 'utf8' });
  if (ran.error) throw ran.error;
  if (ran.status !== 0) process.exit(ran.status ?? 1);
  return ran.stdout;
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

const array = ['--name', 'sweep', '--array', String(grid.length), '--gpus', '0.5', '--cpus', '0.5', '--canary', '2'];
const sweep = submit([...array, '--quiet'], here('train.mjs'), data, results).trim();
const after = ['--name', 'best', '--after', `afterok:${sweep}`, '--wait', '--follow'];
submit(after, here('best.mjs'), results, join(folder, 'best.json'));
