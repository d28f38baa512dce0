import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Finished, finished, OwnCoordinator } from '../support/own-coordinator.ts';

let own: OwnCoordinator;
beforeAll(async () => {
  own = new OwnCoordinator();
  await own.ok('slurm', 'shims', 'shims');
});
afterAll(() => own.close());

/** Lines of a shell of a person who has the shims on PATH. */
function sh(text: string, env: NodeJS.ProcessEnv = {}): Promise<Finished> {
  const PATH = `${join(own.folder, 'shims')}:${own.env.PATH}`;
  const child = spawn('sh', ['-c', text], {
    cwd: own.folder,
    env: { ...own.env, PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return finished(child);
}

const read = (name: string) => readFileSync(join(own.folder, name), 'utf8');
const write = (name: string, text: string) => writeFileSync(join(own.folder, name), text);

test('a script for an array runs unchanged, as it was when it was submitted', async () => {
  write(
    'array.sh',
    `#!/bin/bash
#SBATCH --job-name=fit   # its name
#SBATCH --array=1-9:4%2 --time=00:05:00
#SBATCH --cpus-per-task=1
#SBATCH --account=project --qos=normal

echo "$SLURM_ARRAY_JOB_ID $SLURM_ARRAY_TASK_ID of $SLURM_ARRAY_TASK_COUNT by $SLURM_ARRAY_TASK_STEP: $1 $SLURM_JOB_NAME"
#SBATCH --job-name=late
`,
  );
  const { out, err, code } = await sh('sbatch -H --parsable array.sh "a b" | tee id && echo exit 3 >array.sh');
  expect([code, err.replace(/^spawn: started.*\n/, '')]).toEqual([0, '']);
  const id = out.trim();
  expect((await sh(`scontrol release ${id}; sbatch -W -d afterok:${id} --wrap true -o /dev/null`)).code).toBe(0);
  const files = readdirSync(own.folder).filter((name) => name.startsWith('slurm-'));
  expect(files.sort()).toEqual([1, 5, 9].map((index) => `slurm-${id}_${index}.out`));
  expect(read(`slurm-${id}_5.out`)).toBe(`${id} 5 of 3 by 4: a b fit\n`);
});

test('a script on standard input, and a command', async () => {
  const ran = await sh(
    `printf '#!/bin/sh\\necho "$0 $SLURM_JOB_NAME"\\n' | sbatch -W -Q -o in.txt; sbatch -W -o w.txt --wrap='echo "$SLURM_JOB_NAME"; exit 4'`,
  );
  expect(ran.code).toBe(4);
  expect(ran.out).toMatch(/^Submitted batch job \d+\n$/);
  expect([read('in.txt').split(' ')[1], read('w.txt')]).toEqual(['sbatch\n', 'wrap\n']);
});

test('--wait gives the highest code of an array, 1 for a signal, and follows cancels', async () => {
  const codes = await sh(`
    sbatch -W -Q -o /dev/null --array=0-3 --wrap='exit $SLURM_ARRAY_TASK_ID'; echo $?
    sbatch -W -Q -o /dev/null --array=1,200 --wrap='kill -9 $$'; echo $?
    sbatch -W -Q -H -J held -o /dev/null --wrap=true & until squeue -h -n held | grep -q held; do :; done; scancel -n held; wait $!; echo $?
    sbatch -W -Q -J runs -o /dev/null --wrap='sleep 100' & until squeue -h -n runs -t R | grep -q runs; do :; done; scancel -n runs; wait $!; echo $?`);
  expect(codes.out).toBe('3\n1\n0\n1\n');
});

describe('--export', () => {
  test('passes all, some, none or what a file says', async () => {
    const shown = async (options: string) => {
      const ran = await sh(
        `sbatch -W -Q -o env.txt ${options} --wrap='env | grep -E "^(XA|XB|NEW|SLURM_EXPORT_ENV)=" | sort'`,
        { XA: '1', XB: 'a,b' },
      );
      expect(ran).toMatchObject({ out: '', err: '' });
      return read('env.txt').split('\n').slice(0, -1);
    };
    expect(await shown('')).toEqual(['XA=1', 'XB=a,b']);
    expect(await shown('--export=NONE')).toEqual(['SLURM_EXPORT_ENV=NONE']);
    expect(await shown('--export=XB,NEW=5,NOSUCH')).toEqual(['NEW=5', 'SLURM_EXPORT_ENV=XB,NEW=5,NOSUCH', 'XB=a,b']);
    expect(await shown('--export=ALL,XA=over')).toEqual(['SLURM_EXPORT_ENV=ALL,XA=over', 'XA=over', 'XB=a,b']);
    write('envf', 'NEW=z\0');
    expect(await shown('--export-file=envf')).toEqual(['NEW=z']);
  });

  test.each(['ALL', 'NONE'])('%s: tasks submit, hold and cancel where they run', async (text) => {
    write(
      'inside.sh',
      `#!/bin/sh
squeue -h -j "$SLURM_JOB_ID" -o "%T %j"
sbatch --parsable --export=${text} -d afterok:$SLURM_JOB_ID -o next.txt inner.sh >next.id
`,
    );
    write('inner.sh', '#!/bin/sh\necho "after $SLURM_JOB_DEPENDENCY"; sbatch --version\n');
    const ran = await sh(
      `sbatch -W -J me --export=${text} -o inside.txt inside.sh && sbatch -W -d afterany:$(cat next.id) -o /dev/null --wrap=true`,
    );
    expect(ran.code).toBe(0);
    const [first] = ran.out.split('\n');
    expect(read('inside.txt')).toBe('RUNNING me\n');
    expect(read('next.txt')).toMatch(new RegExp(`^after afterok:${first!.split(' ')[3]}\\nslurm`));
  });
});

test('a task of an array that cancels $SLURM_JOB_ID ends alone', async () => {
  const ran = await sh(
    `sbatch -W --export=NONE --array=1-3 -o c_%a.txt --wrap='[ $SLURM_ARRAY_TASK_ID != 2 ] || { scancel $SLURM_JOB_ID; sleep 100; }; echo done'; echo $?`,
  );
  expect(ran.out).toMatch(/\n1\n$/);
  expect(['c_1.txt', 'c_2.txt', 'c_3.txt'].map(read)).toEqual(['done\n', '', 'done\n']);
});

test('a job that requeues itself runs again with the same numbers and tells it', async () => {
  write(
    'again.sh',
    '#!/bin/sh\necho "$SLURM_JOB_ID run $SLURM_RESTART_COUNT"\n[ -n "$SLURM_RESTART_COUNT" ] || { scontrol requeue $SLURM_JOB_ID; sleep 100; }\n',
  );
  const ran = await sh('sbatch -W --parsable --open-mode=append -o again-%j.txt again.sh');
  const id = ran.out.trim();
  expect(ran.code).toBe(0);
  expect(read(`again-${id}.txt`)).toBe(`${id} run \n${id} run 1\n`);
});

test('a signal comes before the time limit, to the shell with B:', async () => {
  const ran = await sh(
    `sbatch -W -Q -t 1 --signal=B:USR1@59 -o sig.txt --wrap='trap "echo got; exit 5" USR1; sleep 100 & wait'`,
  );
  expect(ran.code).toBe(5);
  expect(read('sig.txt')).toBe('got\n');
});

test('a dependency that can never hold waits, or with --kill-on-invalid-dep ends its chain', async () => {
  const ran = await sh(`
    a=$(sbatch -W --parsable -o /dev/null --wrap='exit 1')
    b=$(sbatch --parsable -o /dev/null -d afterok:$a --wrap=true)
    squeue -h -j $b -o '%T %r'; scancel $b
    sbatch -W -Q -o /dev/null -d afterok:$a --kill-on-invalid-dep=yes --wrap=true; echo $?
    sbatch -Q -d afterok:4000000 --wrap=true 2>&1 | head -1`);
  expect(ran.out).toBe(
    'PENDING DependencyNeverSatisfied\n0\nsbatch: error: Batch job submission failed: Job dependency problem\n',
  );
});

test('values of one field never become another', async () => {
  const ran = await sh(`
    sbatch --comment="$(printf 'a\\nb')" --wrap=true; echo $?
    id=$(sbatch --parsable -H -o "$(printf 'new\\nline')" -J 'a|b $(id) %x' --mail-user='x y' --mail-type=END --wrap=true)
    squeue -h -j $id -o '%T|%j' | wc -l; scontrol show job $id | grep -c "^JobId="; scancel $id`);
  expect(ran.err).toBe('sbatch: error: Invalid --comment specification\n');
  expect(ran.out).toBe('255\n1\n1\n');
});

test('what no worker has is refused, or cut where the person says so', async () => {
  const refused = await sh('sbatch -c 3000 --wrap=true');
  expect(refused.code).toBe(1);
  expect(refused.err).toContain('error: CPU count per node can not be satisfied\n');
  const env = { SPAWN_SLURM_OVERSIZE: 'fit' };
  const ran = await sh(
    `sbatch -W -Q -c 3000 --mem=900T -o fit.txt --wrap='[ "$SLURM_CPUS_PER_TASK" -lt 3000 ] && echo cut'`,
    env,
  );
  expect([ran.code, read('fit.txt')]).toEqual([0, 'cut\n']);
});
