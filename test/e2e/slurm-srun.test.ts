import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SpawnClient } from '../../src/client/client.ts';
import { unixTransport } from '../../src/client/node/unix-transport.ts';
import { readSettings } from '../../src/config/settings.ts';
import { type Finished, finished, OwnCoordinator } from '../support/own-coordinator.ts';
import { until } from '../support/until.ts';

const builtSpored = fileURLToPath(new URL('../../dist/bin/spored.js', import.meta.url));
let own: OwnCoordinator;
let workers: ChildProcess[];

/** A coordinator with workers n1, n2 and n3 of 4 CPUs each, and the shims. */
beforeAll(async () => {
  own = new OwnCoordinator();
  own.env.SPAWN_LOCAL_WORKERS = '0';
  await own.ok('server', 'start');
  await own.ok('slurm', 'shims', 'shims');
  const { socketPath } = readSettings(own.env, process.getuid!());
  workers = ['n1', 'n2', 'n3'].map((name) => {
    const where = ['--server', `unix:${socketPath}`, '--name', name, '--data-dir', join(own.folder, name)];
    const offers = ['--cpus', '4', '--memory', '8G', '--no-cpu-binding', '--grace', '1s'];
    return spawn(process.execPath, [builtSpored, ...where, ...offers], { env: own.env, cwd: '/', stdio: 'ignore' });
  });
  const client = new SpawnClient({ transport: unixTransport(socketPath) });
  await until('three workers', async () => (await client.server()).sessions.length === 3);
  client.close();
});
afterAll(async () => {
  for (const worker of workers) worker.kill('SIGTERM');
  await Promise.all(workers.map((worker) => worker.exitCode === null && once(worker, 'exit')));
  await own.close();
});

function start(text: string, stdin: 'ignore' | 'pipe' = 'ignore'): ChildProcess {
  const PATH = `${join(own.folder, 'shims')}:${own.env.PATH}`;
  return spawn('sh', ['-c', text], { cwd: own.folder, env: { ...own.env, PATH }, stdio: [stdin, 'pipe', 'pipe'] });
}

/** Lines of a shell of a person who has the shims on PATH. */
function sh(text: string): Promise<Finished> {
  return finished(start(text));
}

const sorted = (text: string) => text.split('\n').filter(Boolean).toSorted();
const read = (name: string) => readFileSync(join(own.folder, name), 'utf8');

/** What a script prints that srun runs in, both streams. */
async function inJob(options: string, script: string): Promise<string> {
  writeFileSync(join(own.folder, 'job.sh'), `#!/bin/sh\n${script}\n`);
  const { code, err } = await sh(`sbatch -Q -W ${options} -o job.out job.sh`);
  expect([code, err]).toEqual([0, '']);
  return read('job.out').replace(/\b([Jj]ob |StepId=)\d+/g, '$1J');
}

describe('outside of a job', () => {
  test('output, exit codes and signals', async () => {
    const said = await sh('srun sh -c "echo out; echo err >&2; exit 3"');
    expect(said).toEqual({
      code: 3,
      out: 'out\n',
      err: expect.stringMatching(/^err\nsrun: error: \S+: task 0: Exited with exit code 3\n$/),
    });
    const killed = await sh('srun sh -c "kill -9 $$"'.replace('$$', '\\$\\$'));
    expect([killed.code, killed.err]).toEqual([
      137,
      expect.stringMatching(/task 0: Killed\nsrun: Force Terminated StepId=\d+\.0\n$/),
    ]);
    const none = await sh('srun no-such-program');
    expect([none.code, none.err.split('\n')[0]]).toEqual([
      2,
      'slurmstepd: error: execve(): no-such-program: No such file or directory',
    ]);
  });

  test('ranks on three nodes, as Slurm places them', async () => {
    const { out, code } = await sh(
      `srun -N3 -n6 -l sh -c 'echo $SLURMD_NODENAME $SLURM_LOCALID $SLURM_JOB_NUM_NODES' | sort`,
    );
    expect(code).toBe(0);
    expect(sorted(out)).toEqual(['0: n1 0 3', '1: n1 1 3', '2: n1 2 3', '3: n1 3 3', '4: n2 0 3', '5: n3 0 3']);
  });

  test('standard input goes to each rank, on whatever node', async () => {
    const child = start('srun -N2 -n2 -l cat | sort', 'pipe');
    child.stdin!.end('a\nb\n');
    expect(sorted((await finished(child)).out)).toEqual(['0: a', '0: b', '1: a', '1: b']);
  });

  test('files, and none of its own', async () => {
    const { out } = await sh(
      'mkdir -p d && cd d && srun -n2 -o "o-%t" sh -c "echo \\$SLURM_PROCID" && srun true && cat o-0 o-1 && ls',
    );
    expect(out).toBe('0\n1\no-0\no-1\n');
  });

  test('interrupted twice it ends its job', async () => {
    const child = start('exec srun sh -c "echo ready; exec sleep 300"');
    const end = finished(child);
    await new Promise((resolve) => child.stdout!.once('data', resolve));
    child.kill('SIGINT');
    await new Promise((resolve) => child.stderr!.once('data', resolve));
    child.kill('SIGINT');
    const { code, err } = await end;
    expect(code).toBe(130);
    expect(err).toMatch(
      /^srun: interrupt \(one more within 1 sec to abort\)\nsrun: StepId=\d+\.0 running\nsrun: sending Ctrl-C to StepId=\d+\.0\n/,
    );
    expect((await sh('squeue -h')).out).toBe('');
  });

  test('what is held waits; cancelled it says so', async () => {
    const child = start('exec srun -H -J waits true');
    const end = finished(child);
    await new Promise((resolve) => child.stderr!.once('data', resolve));
    await own.ok('cancel', '--name', 'waits', '--yes').catch(() => own.ok('cancel', '--name', 'waits'));
    const { code, err } = await end;
    expect([code, err.includes('srun: Job is in held state'), err.includes('srun: Job has been cancelled')]).toEqual([
      1,
      true,
      true,
    ]);
  });

  test('refusals', async () => {
    expect(await sh('srun')).toEqual({ code: 1, out: '', err: 'srun: fatal: No command given to execute.\n' });
    expect((await sh('srun --nosuch true')).code).toBe(255);
    expect((await sh('srun --jobid=99999999 true')).err).toContain('Unable to confirm allocation for job 99999999');
    expect((await sh('srun -d afterok:99999999 true')).err).toContain(
      'Unable to allocate resources: Job dependency problem',
    );
    expect((await sh('srun --bcast=/tmp/x true')).code).toBe(255);
  });
});

describe('inside of a job', () => {
  test('several steps, with their numbers, codes and words', async () => {
    const out = await inJob(
      '-n2 -N1',
      `srun -l sh -c 'echo $SLURM_PROCID $SLURM_STEP_ID $SLURM_STEP_NUM_TASKS' | sort
       srun -n1 sh -c 'exit 5'; echo rc=$?
       srun sh -c 'kill -USR1 $$'; echo rc=$?
       srun -K sh -c '[ $SLURM_PROCID = 1 ] || exit 3; exec sleep 300'; echo rc=$?
       srun -n9 true; echo rc=$?
       echo in | srun cat
       srun --export=A=1 /usr/bin/env | grep -c '^HOME='
       srun -n1 --mpi=none --cpu-bind=q -u echo $SLURM_JOB_NUM_NODES`,
    );
    const node = /error: (\S+): task 0/.exec(out)![1];
    expect(out).toBe(`0: 0 0 2
1: 1 0 2
srun: error: ${node}: task 0: Exited with exit code 5
rc=5
srun: error: ${node}: tasks 0-1: User defined signal 1
rc=138
srun: error: ${node}: task 0: Exited with exit code 3
srun: launch/slurm: _step_signal: Terminating StepId=J.3
srun: error: ${node}: task 1: Terminated
srun: Force Terminated StepId=J.3
rc=143
srun: error: Unable to create step for job J: More processors requested than permitted
rc=1
in
in
0
1
`);
  });

  test('steps share CPUs, wait for them, or overlap', async () => {
    const both = `sh -c 'echo $0 >>marks; until [ $(wc -l <marks) = 2 ]; do sleep 0.02; done'`;
    const out = await inJob(
      '-n2 -N1',
      `rm -f marks; srun --exact -n1 ${both} a & srun --exact -n1 ${both} b & wait; echo exact
       rm -f marks; srun --overlap -n1 ${both} a & srun -n1 --overlap ${both} b & wait; echo overlap
       srun -n1 sh -c 'touch first; until [ -e waits ]; do sleep 0.02; done' & until [ -e first ]; do sleep 0.02; done; (srun -n1 echo second; echo rc=$?) 2>&1 | tee waits.out & until grep -qs busy waits.out; do sleep 0.02; done; touch waits; wait`,
    );
    expect(out).toBe(`exact
overlap
srun: Job J step creation temporarily disabled, retrying (Requested nodes are busy)
srun: Step created for job J
second
rc=0
`);
  });

  test('a signal for steps reaches them and not the script', async () => {
    const script = `#!/bin/sh
trap 'echo shell' USR1
srun sh -c 'trap "echo rank; exit 5" USR1; touch ready; sleep 300 & wait'
echo rc=$?
`;
    writeFileSync(join(own.folder, 'signals.sh'), script);
    const { out: job } = await sh('sbatch --parsable -o signals.out -e /dev/null signals.sh');
    await until('the step runs', async () => existsSync(join(own.folder, 'ready')));
    rmSync(join(own.folder, 'ready'));
    await sh(`scancel -s USR1 ${job}`);
    await own.ok('wait', job.trim());
    expect(read('signals.out')).toBe('rank\nrc=5\n');
  });
});

describe('on several nodes', () => {
  test('steps on all of them, on some, and on those that are named', async () => {
    const say = `sh -c 'echo $SLURMD_NODENAME'`;
    const out = await inJob(
      '-N3 -n6',
      `srun -n4 -l ${say} | sort; srun -N2 -n2 -l ${say} | sort; srun -Q -w n3 -n1 ${say}; srun -r1 -N1 -n1 ${say}
       srun -N1 true; echo rc=$?; srun -N3 -n3 sh -c 'exit $SLURM_NODEID'; echo rc=$?`,
    );
    const [words, errors] = [0, 1].map((bad) =>
      sorted(out).filter((line) => Number(/^srun: error: n/.test(line)) === bad),
    );
    expect(words!.slice(0, 6)).toEqual(['0: n1', '0: n1', '1: n1', '1: n2', '2: n2', '3: n3']);
    expect(words!.slice(6)).toEqual([
      'n2',
      'n3',
      'rc=1',
      'rc=2',
      'srun: error: Unable to create step for job J: More processors requested than permitted',
    ]);
    expect(errors).toEqual([
      'srun: error: n2: task 1: Exited with exit code 1',
      'srun: error: n3: task 2: Exited with exit code 2',
    ]);
  });

  test('much output from all of them at once', async () => {
    const { out } = await sh(`srun -N3 -n3 sh -c 'head -c 3000000 /dev/zero | tr "\\0" a' | wc -c`);
    expect(Number(out)).toBe(9_000_000);
  });

  test('a node that dies ends the step, and the gang with it', async () => {
    const child = start(`exec srun -N3 -n3 -l sh -c 'echo $SLURMD_NODENAME; exec sleep 300'`);
    let out = '';
    child.stdout!.on('data', (bytes: Buffer) => {
      out += bytes;
    });
    const end = finished(child);
    await until('three ranks', async () => sorted(out).length === 3);
    const host = `step-host ${join(own.folder, 'n2')}`;
    const { out: pids } = await sh(`pgrep -f '${host}'`);
    for (const pid of sorted(pids)) {
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        // The shell that looked, which has ended.
      }
    }
    const { code, err } = await end;
    expect(code).not.toBe(0);
    expect(err).toContain('srun: error: Node failure on n2');
  });

  test('nothing of it is left', async () => {
    await until('the places are closed', async () => (await sh(`pgrep -f 'step-host ${own.folder}/[n]'`)).out === '');
  });
});
