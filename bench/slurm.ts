// How does the same script fare under a real Slurm and under spawn, with the same commands: submit and cancel of a large array, time from
// submit to start, and a drain of many short tasks? Needs root and the packages of test/slurm.
//
//     npm run build && node bench/slurm.ts [--rounds 7] [--tasks 100000] [--drain 300]
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startReal } from '../test/slurm/real-side.ts';
import { makeFolder, type Side } from '../test/slurm/side.ts';
import { startSpawn } from '../test/slurm/spawn-side.ts';
import { median, report } from './support/report.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    tasks: { type: 'string', default: '100000' },
    drain: { type: 'string', default: '300' },
  },
});
const [rounds, tasks, drain] = [values.rounds, values.tasks, values.drain].map(Number) as [number, number, number];
/** What is measured, each in ms. */
const MEASURES = {
  [`submit of ${tasks} tasks`]: submitLarge,
  [`cancel of ${tasks} tasks`]: cancelLarge,
  'from submit to start': submitToStart,
  [`drain of ${drain} tasks`]: drainTasks,
};

const folder = makeFolder();
const sides = [await startReal(join(folder, 'r')), await startSpawn(join(folder, 's'))];
const found = new Map(sides.map(({ name }) => [name, new Map<string, number[]>()]));
/** The large array that each side holds between its submit and its cancel. */
const held = new Map<Side, string>();

/** Runs a command of Slurm to its end; gives what it printed and its time, ms. */
function run(side: Side, cwd: string, ...words: string[]): { readonly out: string; readonly ms: number } {
  const from = performance.now();
  const [program = '', ...args] = words;
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd,
    env: { ...side.env, HOME: cwd },
    encoding: 'utf8',
  });
  const ms = performance.now() - from;
  if (status !== 0) throw new Error(`${side.name}: ${words.join(' ')}: ${status}: ${stderr}`);
  return { out: stdout.trim(), ms };
}

function submitLarge(side: Side, cwd: string): number {
  const { out, ms } = run(side, cwd, 'sbatch', '--parsable', '-H', `--array=0-${tasks - 1}`, 'nothing.sh');
  held.set(side, out);
  return ms;
}

function cancelLarge(side: Side, cwd: string): number {
  return run(side, cwd, 'scancel', held.get(side)!).ms;
}

async function submitToStart(side: Side, cwd: string): Promise<number> {
  const from = Date.now();
  run(side, cwd, 'sbatch', '-o', '/dev/null', 'stamp.sh', 'started');
  return (await stamps(cwd, 'started', 1)) - from;
}

async function drainTasks(side: Side, cwd: string): Promise<number> {
  const from = Date.now();
  run(side, cwd, 'sbatch', '-o', '/dev/null', `--array=1-${drain}`, 'stamp.sh', 'drained');
  return (await stamps(cwd, 'drained', drain)) - from;
}

/** Waits for so many stamps and gives the last one, ms; removes them. */
async function stamps(cwd: string, name: string, count: number): Promise<number> {
  const names = () => readdirSync(cwd).filter((file) => file.startsWith(`${name}.`));
  while (names().length < count || names().some((file) => readFileSync(join(cwd, file), 'utf8') === '')) await wait(20);
  const times = names().map((file) => Number(readFileSync(join(cwd, file), 'utf8')) / 1e6);
  for (const file of names()) rmSync(join(cwd, file));
  return Math.max(...times);
}

try {
  for (const { name } of sides) {
    const cwd = join(folder, `work-${name}`);
    mkdirSync(cwd);
    writeFileSync(join(cwd, 'nothing.sh'), '#!/bin/sh\n#SBATCH -o /dev/null\nexit 0\n');
    writeFileSync(join(cwd, 'stamp.sh'), '#!/bin/sh\ndate +%s%N >"$1.$SLURM_JOB_ID"\n');
  }
  // The first round warms caches of both and is left out.
  for (let round = 0; round <= rounds; round++) {
    for (const [measure, take] of Object.entries(MEASURES)) {
      for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
        const ms = await take(side, join(folder, `work-${side.name}`));
        const of = found.get(side.name)!;
        if (round > 0) of.set(measure, [...(of.get(measure) ?? []), Math.round(ms * 10) / 10]);
      }
    }
  }
} finally {
  for (const side of sides) await side.close();
  rmSync(folder, { recursive: true, force: true });
}

const figures: Record<string, unknown> = { tasks, drain, rounds };
for (const measure of Object.keys(MEASURES)) {
  const [slurm, spawn] = [found.get('real')!.get(measure)!, found.get('spawn')!.get(measure)!];
  figures[`${measure}, Slurm, ms`] = { median: median(slurm), all: slurm };
  figures[`${measure}, spawn, ms`] = { median: median(spawn), all: spawn };
  const ratios = slurm.map((ms, at) => ms / spawn[at]!);
  figures[`${measure}, Slurm's time / spawn's, median of pairs`] = Math.round(median(ratios) * 100) / 100;
}
report('slurm', figures);
process.exit(0);
