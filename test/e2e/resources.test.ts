import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JobSpecInput } from '../../src/api/job-spec.ts';
import { SpawnClient } from '../../src/client/client.ts';
import { unixTransport } from '../../src/client/node/unix-transport.ts';
import { readSettings } from '../../src/config/settings.ts';
import { makeSandbox, type Sandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

let sandbox: Sandbox;
let client: SpawnClient;

beforeAll(async () => {
  sandbox = makeSandbox();
  const env = { SPAWN_LOCAL_GPUS: '0,1', SPAWN_LOCAL_RESOURCES: 'license=2', SPAWN_LOCAL_CPUS: '8' };
  const started = await sandbox.spawn(['server', 'start'], { env });
  expect(started.code, started.err).toBe(0);
  client = new SpawnClient({ transport: unixTransport(readSettings(sandbox.env, process.getuid!()).socketPath) });
}, 60_000);

afterAll(async () => {
  await sandbox.close();
  client.close();
}, 60_000);

/** Submits a job of a shell line; resolves with its number. */
async function submit(text: string, spec: Partial<JobSpecInput>): Promise<number> {
  const run = { kind: 'shell', text } as const;
  const always = { run, cwd: sandbox.folder, cpus: 0.1, env: { OUT: sandbox.folder } };
  const { job } = await client.submit({ spec: { ...always, ...spec } });
  return job.id;
}

/** Its exit code, when it has ended. */
const wait = async (job: number): Promise<number> => (await sandbox.spawn(['wait', String(job)])).code;
const lines = (name: string): string[] => {
  const text = readdirSync(sandbox.folder).includes(name) ? readFileSync(join(sandbox.folder, name), 'utf8') : '';
  return text.split('\n').filter(Boolean);
};
/** Holds a directory as long as it runs: a second one cannot make it. */
const alone = (place: string) =>
  `mkdir "$OUT/${place}" || echo ${place} >>"$OUT/clashes"; sleep 0.05; rmdir "$OUT/${place}"`;

describe('GPUs', () => {
  test('twenty tasks on two: never two with the same at once', async () => {
    const job = await submit(`echo $CUDA_VISIBLE_DEVICES >>"$OUT/devices"; ${alone('gpu-$CUDA_VISIBLE_DEVICES')}`, {
      array: '0-19',
      gpus: 1,
    });
    expect(await wait(job)).toBe(0);
    expect(lines('clashes')).toEqual([]);
    expect(lines('devices')).toHaveLength(20);
    expect(new Set(lines('devices'))).toEqual(new Set(['0', '1']));
  });

  test('four halves share two, at once', async () => {
    const job = await submit(
      'echo $CUDA_VISIBLE_DEVICES >>"$OUT/halves"; until [ -e "$OUT/go" ]; do sleep 0.02; done',
      {
        array: '0-3',
        gpus: 0.5,
      },
    );
    await until('four to start', () => lines('halves').length === 4);
    expect(lines('halves').toSorted()).toEqual(['0', '0', '1', '1']);
    writeFileSync(join(sandbox.folder, 'go'), '');
    expect(await wait(job)).toBe(0);
  });

  test('a task that asked for none sees none', async () => {
    const job = await submit('echo "[$CUDA_VISIBLE_DEVICES]" >>"$OUT/none"', {});
    expect(await wait(job)).toBe(0);
    expect(lines('none')).toEqual(['[]']);
  });
});

test('a named resource bounds how many run at once', async () => {
  const count = 'set -- "$OUT"/license-*; echo $# >>"$OUT/licenses"';
  const job = await submit(
    `: >"$OUT/license-$SPAWN_ARRAY_INDEX"; ${count}; sleep 0.05; ${count}; rm "$OUT/license-$SPAWN_ARRAY_INDEX"`,
    { array: '0-9', resources: { license: 1 } },
  );
  expect(await wait(job)).toBe(0);
  expect(Math.max(...lines('licenses').map(Number))).toBe(2);
});

test('a task that uses more memory than it asked for is ended, and shown as out of memory', async () => {
  const hog = 'const all = []; setInterval(() => all.push(Buffer.alloc(16 * 2 ** 20, 1)), 5)';
  const run = { kind: 'argv' as const, argv: [process.execPath, '-e', hog] };
  const { job } = await client.submit({ spec: { run, cwd: sandbox.folder, memoryBytes: 200 * 2 ** 20 } });
  expect(await wait(job.id)).toBe(1);
  const { out } = await sandbox.spawn(['tasks', String(job.id), '-o', 'json']);
  expect(JSON.parse(out)).toMatchObject([{ id: `${job.id}_0`, state: 'failed', outcome: 'out of memory' }]);
}, 60_000);

test('patterns make files, which hold what the log holds', async () => {
  const job = await submit('echo out $SPAWN_ARRAY_INDEX; echo err >&2', {
    name: 'writes',
    array: '8-12:2',
    outputPath: 'kept/%x.%A_%3a',
    errorPath: 'kept/%j.err',
  });
  expect(await wait(job)).toBe(0);
  const files = readdirSync(join(sandbox.folder, 'kept')).toSorted();
  expect(files.filter((name) => !name.endsWith('.err'))).toEqual(
    [8, 10, 12].map((n) => `writes.${job}_${`00${n}`.slice(-3)}`),
  );
  expect(files.filter((name) => name.endsWith('.err'))).toHaveLength(3);
  expect(readFileSync(join(sandbox.folder, `kept/writes.${job}_010`), 'utf8')).toBe('out 10\n');
  const log = await sandbox.spawn(['logs', `${job}_10`]);
  expect(log.out.split('\n').toSorted()).toEqual(['', 'err', 'out 10']);
});

test('a task sees as many CPUs as it asked for', async () => {
  const job = await submit('nproc >>"$OUT/nproc"', { cpus: 1 });
  expect(await wait(job)).toBe(0);
  expect(lines('nproc')).toEqual(['1']);
});
