// Two arrays of which each task waits for its partner, and a last step. Two months fail, are mended and retried alone.
//   node examples/pipeline/run.mjs [FOLDER FOR THE RESULTS]
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Their thermometers' shifts arrive late. */
const LATE = [7, 11];

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const folder = resolve(process.argv[2] ?? here('out'));
const weather = here('../../node_modules/vega-datasets/data/seattle-weather.csv');
const arriveShift = (month) => writeFileSync(join(folder, `shift-${month}`), `${month / 10}\n`);

/** Runs a command of `spawn`, shown first; gives its exit code and what it wrote to standard output. */
function spawn(...args) {
  console.log(`$ spawn ${args.map((arg) => arg.replace(here('.'), '').replace(process.execPath, 'node')).join(' ')}`);
  const ran = spawnSync(process.execPath, [here('../../dist/bin/spawn.js'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  if (ran.error) throw ran.error;
  process.stdout.write(ran.stdout);
  return { code: ran.status, out: ran.stdout.trim() };
}

const submit = (name, options, ...task) =>
  spawn('submit', '--name', name, ...options, '--quiet', '--', process.execPath, here(task[0]), ...task.slice(1)).out;

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (let month = 1; month <= 12; month += 1) if (!LATE.includes(month)) arriveShift(month);

const clean = submit('clean', ['--array', '1-12'], 'clean.mjs', weather, folder);
const mean = submit('mean', ['--array', '1-12', '--after', `aftercorr:${clean}`], 'mean.mjs', folder);
const year = submit('year', ['--after', `afterok:${mean}`], 'year.mjs', folder);

// Ten months go through both steps; two fail, so their partners and the last step are skipped.
spawn('wait', clean, mean, year);
spawn('status', clean);
for (const month of LATE) arriveShift(month);
spawn('retry', clean);
const { code } = spawn('wait', clean, mean, year);
spawn('logs', year);
process.exit(code ?? 1);
