import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { RigOptions } from './slurm-conf.ts';
import { rigEnv, startSlurm, stopSlurm } from './slurm-rig.ts';

const USAGE = `Runs a real Slurm of its own below a directory (root; Debian: slurm-wlm munge [slurmdbd mariadb-server-core]).
  main.ts start DIR [--nodes N] [--cpus N] [--gpus N] [--max-array N] [--max-jobs N] [--min-job-age S] [--accounting] [--set Key=value]...
  main.ts run DIR -- COMMAND…      with SLURM_CONF of that rig
  main.ts prove [flags of start]   start, one array, stop, in a temporary directory
  main.ts stop DIR`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    nodes: { type: 'string' },
    cpus: { type: 'string' },
    gpus: { type: 'string' },
    'max-array': { type: 'string' },
    'max-jobs': { type: 'string' },
    'min-job-age': { type: 'string' },
    accounting: { type: 'boolean' },
    set: { type: 'string', multiple: true },
  },
});

function readOptions(): Partial<RigOptions> {
  const number = (key: keyof RigOptions, text: string | undefined) =>
    text === undefined ? {} : { [key]: Number(text) };
  return {
    ...number('nodes', values.nodes),
    ...number('cpusPerNode', values.cpus),
    ...number('gpusPerNode', values.gpus),
    ...number('maxArraySize', values['max-array']),
    ...number('maxJobCount', values['max-jobs']),
    ...number('minJobAge', values['min-job-age']),
    ...(values.accounting === true ? { accounting: 'slurmdbd' as const } : {}),
    extra: values.set ?? [],
  };
}

async function prove(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'slurm-rig-'));
  const { env, startedInMs } = await startSlurm(dir, readOptions());
  try {
    const begun = performance.now();
    const submitted = execFileSync(
      'sbatch',
      [
        '--parsable',
        '--wait',
        '--array=1-5',
        '-o',
        join(dir, 'out-%a'),
        '--wrap',
        'echo "$SLURM_ARRAY_JOB_ID $SLURM_ARRAY_TASK_ID"',
      ],
      { env, encoding: 'utf8' },
    );
    const lines = [1, 2, 3, 4, 5].map((i) => readFileSync(join(dir, `out-${i}`), 'utf8').trim());
    const wanted = [1, 2, 3, 4, 5].map((i) => `${submitted.trim()} ${i}`);
    if (lines.join() !== wanted.join()) throw new Error(`expected ${wanted.join()}, found ${lines.join()}`);
    console.log(`started in ${startedInMs} ms, array of 5 in ${Math.round(performance.now() - begun)} ms`);
  } finally {
    const begun = performance.now();
    await stopSlurm(dir);
    console.log(`stopped in ${Math.round(performance.now() - begun)} ms`);
  }
}

const [verb, where] = positionals;
if (verb === 'prove') await prove();
else if (where === undefined) {
  console.error(USAGE);
  process.exitCode = 2;
} else if (verb === 'start') {
  const rig = await startSlurm(resolve(where), readOptions());
  console.log(`started in ${rig.startedInMs} ms; export SLURM_CONF=${rig.env.SLURM_CONF}`);
} else if (verb === 'stop') await stopSlurm(resolve(where));
else if (verb === 'run') {
  const [program = 'true', ...args] = positionals.slice(2);
  process.exitCode = spawnSync(program, args, { env: rigEnv(resolve(where)), stdio: 'inherit' }).status ?? 1;
} else {
  console.error(USAGE);
  process.exitCode = 2;
}
