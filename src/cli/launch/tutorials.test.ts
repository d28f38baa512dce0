import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { aJob, runCli } from '../../../test/support/cli-world.ts';
import type { SubmitRequestInput } from '../../api/job.ts';

/** Launches as the documents write that asked for this program: each is taken as it stands, or once the options of a cloud are ignored. */

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-tutorials-'));
  const scripts = ['training-script', 'process', 'render', 'setup-mpi', 'mpi-setup', 'ray-setup', 'script'];
  for (const name of scripts) writeFileSync(join(folder, `${name}.sh`), '#!/bin/bash\ndate\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

async function launch(line: string, setting = '0') {
  // Words as a shell makes them of these lines: spaces, and quotes around a word.
  const words = [...line.matchAll(/"((?:\\.|[^"\\])*)"|'([^']*)'|(\S+)/g)].map(([, double, single, plain]) =>
    double === undefined ? (single ?? plain!) : double.replace(/\\([$"\\])/g, '$1'),
  );
  const { calls, ...ran } = await runCli(['launch', ...words], {
    world: { cwd: folder, env: { HOME: folder, SPAWN_SERVER: 'x', SPAWN_IGNORE_UNSUPPORTED: setting } },
    client: {
      putBlob: async () => ({ hash: 'e'.repeat(64) }),
      submit: async () => ({ job: aJob(), replayed: false, dryRun: false }),
      instances: async () => ({ instances: [] }),
      tasks: async () => ({ tasks: [] }),
    },
  });
  return { ...ran, spec: (calls.find(([name]) => name === 'submit')?.[1] as SubmitRequestInput | undefined)?.spec };
}

test.each([
  '--instance-type t3.micro --count 2 --job-array-name test-array --ttl 30m',
  '--count 8 --job-array-name training --instance-type m7i.large',
  '--count 4 --job-array-name workers --instance-names "worker-{index}"',
  '--count 16 --job-array-name processing --instance-type m7i.large --ttl 4h --hibernate',
  '--count 8 --job-array-name compute --command "python train.py --rank \\$JOB_ARRAY_INDEX"',
  '--count 8 --job-array-name llm-training --instance-type g5.xlarge --ttl 12h --user-data @training-script.sh',
  '--count 100 --job-array-name hyperparam-search --instance-type m7i.large --ttl 4h --command "python search.py --index \\$JOB_ARRAY_INDEX"',
  '--count 16 --job-array-name mpi-cluster --instance-type m7i.xlarge --ttl 8h --dns mpi-cluster',
  '--count 50 --job-array-name render-job --instance-type c7i.4xlarge --ttl 6h --command "blender -b scene.blend -f \\$JOB_ARRAY_INDEX"',
  '--count 32 --job-array-name data-pipeline --instance-type m7i.2xlarge --ttl 4h --user-data @process.sh',
  '--array 100',
  '--instance-type t3.micro --array 5 --ttl 30m --name my-array --user-data \'#!/bin/bash\necho "Task index: $TASK_ARRAY_INDEX"\n\'',
  '--array 100 --spot --spot-max-price 0.05',
  '--array 100 --name task-batch-1',
  '--name retry-7 --user-data "TASK_ARRAY_INDEX=7; ./process.sh"',
  '--array 50 --region us-east-1',
  '--array 50 --region us-west-2',
  '--array 100 --dry-run',
  '--array 3 --user-data @script.sh',
  '--array 100 --on-complete terminate',
  '--count 8 --job-array-name compute --instance-type m7i.large --dns compute-cluster',
  '--count 5 --job-array-name training --instance-names "worker-{index}" --instance-type c7i.4xlarge',
  '--count 16 --job-array-name mpi-job --instance-type c7i.8xlarge --region us-east-1 --ttl 4h --user-data @setup-mpi.sh',
  '--count 8 --job-array-name mpi-job --instance-type c7i.4xlarge --ttl 4h --user-data @mpi-setup.sh',
  '--count 20 --job-array-name render --instance-type g5.xlarge --ttl 3h --user-data @render.sh',
  '--count 8 --job-array-name ray-cluster --instance-type m7i.2xlarge --ttl 2h --user-data @ray-setup.sh',
  '--count 22 --job-array-name genomics --instance-type r7i.4xlarge --ttl 8h --command "python process_chr.py --chr \\$((JOB_ARRAY_INDEX + 1))"',
  '--count 50 --job-array-name manual',
  '--count 50 --job-array-name batch --instance-type c7i.large --spot --ttl 4h',
  '--count 10 --job-array-name job --idle-timeout 15m',
  '--count 10 --job-array-name job --ttl 8h --idle-timeout 30m',
  '--instance-type m7i.large --name compute-5-replacement',
])('%s', async (line) => {
  expect(await launch(line)).toMatchObject({ code: 0 });
});

test.each([
  '--instance-type c7i.large --array 100 --ttl 2h --name file-processor --iam-policy s3:FullAccess --on-complete terminate --user-data @process.sh',
  '--instance-type c7i.2xlarge --array 500 --ttl 1h --name video-render --ami ami-blender --iam-policy s3:FullAccess --spot --spot-max-price 0.15 --on-complete terminate --user-data @render.sh',
  "--instance-type t3.medium --array 1000 --ttl 30m --name monte-carlo --iam-policy s3:FullAccess --spot --on-complete terminate --user-data '#!/bin/bash\ndate'",
])('with options of a cloud: %s', async (line) => {
  expect((await launch(line)).err).toMatch(/^spawn: launch: provider local cannot honour:\n/);
  const plain = await launch(line.replace(/--(?:ami|iam-policy) \S+ /g, ''));
  expect(plain.code).toBe(0);
  // But for the options that are ignored it is the same launch.
  expect((await launch(`${line} --ignore-unsupported`)).spec).toEqual(plain.spec);
  expect((await launch(line, '1')).spec).toEqual(plain.spec);
});

test('what the shell leaves of a command reaches the instance', async () => {
  const { spec } = await launch(
    '--count 22 --name genomics --command "python process_chr.py --chr \\$((JOB_ARRAY_INDEX + 1))"',
  );
  expect(spec?.run).toEqual({ kind: 'shell', text: 'python process_chr.py --chr $((JOB_ARRAY_INDEX + 1))' });
});
