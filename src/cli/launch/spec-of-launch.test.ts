import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { array, launch, launchFolder, NAME } from '../../../test/support/launch-run.ts';
import { InstanceSpec } from '../../api/instance.ts';
import { SpawnError } from '../../core/errors.ts';

let folder: string;
beforeAll(() => {
  const made = launchFolder();
  folder = made.path;
  return made.remove;
});

describe('what is submitted', () => {
  test('one instance: no array, its name alone', async () => {
    const { spec } = await launch(['my-box', '--ttl', '1h'], { size: 1 });
    expect(spec).toEqual({
      name: 'my-box',
      env: {},
      cwd: folder,
      umask: 0o022,
      user: 'ada',
      run: { kind: 'signal' },
      instances: { region: 'local', names: '{job-array-name}', standalone: true, ttlMs: 3_600_000 },
    });
  });

  test.each([
    [['--count', '4', '--job-array-name', 'a'], '0-3', 'a', '{job-array-name}-{index}'],
    [['--array', '4', '--name', 'a'], '0-3', 'a', '{job-array-name}-{index}'],
    [['a', '--array', '1,3,7'], '1,3,7', 'a', '{job-array-name}-{index}'],
    [['--array', '0-9:3', '--job-array-name', 'a', '--name', 'w'], '0-9:3', 'a', 'w-{index}'],
    [['w', '--array', '2', '--name', 'a'], '0-1', 'a', 'w-{index}'],
    [
      ['--count', '2', '--job-array-name', 'a', '--name', 'w', '--instance-names', '{name}-x{index}'],
      '0-1',
      'a',
      'w-x{index}',
    ],
    [['--count', '1', '--job-array-name', 'a'], '0', 'a', '{job-array-name}-{index}'],
  ])('both dialects: %j', async (words, indices, name, names) => {
    const { spec } = await launch(words, { size: 1 });
    expect(spec).toMatchObject({ array: indices, name, instances: { names, standalone: false } });
  });

  test('--count 1 alone is one instance, as without it', async () => {
    expect((await launch(['--count', '1', '--name', 'a'], { size: 1 })).spec?.instances).toMatchObject({
      standalone: true,
    });
  });

  test('a name that nobody has, by chance or by the key', async () => {
    const one = await launch(['--array', '3'], { size: 3 });
    expect(one.spec?.name).toMatch(/^array-[a-z0-9]{6}$/);
    const again = async (key: string) =>
      (await launch(['--array', '3', '--idempotency-key', key], { size: 3 })).spec?.name;
    expect(await again('k')).toBe(await again('k'));
    expect(await again('k')).not.toBe(await again('l'));
    expect((await launch([], { size: 1 })).spec?.name).toMatch(/^instance-/);
  });

  test.each([
    ['defaults: {spot: true, ttl: 1h}\nparams: [{a: 1, spot: false}]\n', [], { spot: false, ttlMs: 3_600_000 }, []],
    ['defaults: {spot: true}\nparams: [{a: 1}]\n', [], { spot: true }, []],
    ['params: [{a: 1, spot: false}]\n', ['--spot'], { spot: false }, ['--spot']],
    ['params: [{a: 1, ttl: 2h}]\n', ['--no-timeout'], { ttlMs: 7_200_000 }, ['--no-timeout']],
    ['params: [{a: 1, ttl: 2h}]\n', ['--ttl', '1h'], { ttlMs: 7_200_000 }, ['--ttl']],
    ['defaults: {ttl: 2h}\nparams: [{a: 1}]\n', ['--ttl', '1h'], { ttlMs: 3_600_000 }, []],
  ])('rows go before flags, and these before defaults: %j %j', async (text, words, part, told) => {
    writeFileSync(join(folder, 'rows.yaml'), text);
    const { request, err } = await launch(['--param-file', 'rows.yaml', '--name', 's', ...words], { size: 1 });
    expect(InstanceSpec.parse(request?.spec.instances)).toMatchObject(part);
    expect(err.match(/(?<=goes before )\S+/g) ?? []).toEqual(told);
  });

  test('a name and a program on the command line go before those of defaults', async () => {
    writeFileSync(join(folder, 'named.yaml'), 'defaults: {name: file, command: make}\nparams: [{a: 1}]\n');
    const spec = async (...words: string[]) =>
      (await launch(['--param-file', 'named.yaml', ...words], { size: 1 })).spec;
    const names = '{job-array-name}-{index}';
    expect(await spec()).toMatchObject({ name: 'file', run: { kind: 'shell', text: 'make' }, instances: { names } });
    expect(await spec('box', '--', 'x', 'y')).toMatchObject({
      name: 'box',
      run: { kind: 'argv', argv: ['x', 'y'] },
      instances: { names },
    });
  });

  test('a variable of --env that is that of a parameter is refused, another is not', async () => {
    writeFileSync(join(folder, 'lr.csv'), 'lr\n1\n');
    const env = async (text: string) => launch(['--param-file', 'lr.csv', '--name', 's', '--env', text], { size: 1 });
    expect(await env('PARAM_lr=2')).toMatchObject({
      code: 2,
      err: 'spawn: --env: expected another variable, as parameter lr is in PARAM_lr, found "PARAM_lr"\n',
    });
    expect((await env('PARAM_seed=2')).spec?.env).toEqual({ PARAM_seed: '2' });
  });

  test('user-data by its hash, with what the file holds', async () => {
    const { spec, calls } = await launch(['x', '--user-data', '@process.sh'], { size: 1 });
    expect(spec?.instances?.userData).toBe('d'.repeat(64));
    const [, kind, bytes] = calls.find(([name]) => name === 'putBlob')!;
    expect([kind, Buffer.from(bytes as Uint8Array).toString()]).toEqual([
      'script',
      '#!/bin/bash\nspored complete --status success\n',
    ]);
  });

  test('user-data from standard input', async () => {
    const { calls } = await launch(['x', '--user-data', '@-'], { size: 1, stdin: 'echo typed' });
    expect(Buffer.from(calls.find(([name]) => name === 'putBlob')![2] as Uint8Array).toString()).toBe('echo typed');
  });

  test('a program, or a line for the shell', async () => {
    expect((await launch(['x', '--', 'ls', '-l', '--ttl'], { size: 1 })).spec?.run).toEqual({
      kind: 'argv',
      argv: ['ls', '-l', '--ttl'],
    });
    expect((await launch(['x', '--command', 'echo $((JOB_ARRAY_INDEX + 1))'], { size: 1 })).spec?.run).toEqual({
      kind: 'shell',
      text: 'echo $((JOB_ARRAY_INDEX + 1))',
    });
  });

  test('the rest', async () => {
    const words = [
      '--spot',
      '--spot-max-price',
      '$0.5',
      '--dns',
      'd',
      '--tag',
      'a=b=c',
      '--on-complete',
      'terminate',
      '--hibernate',
    ];
    const more = [
      '--max-concurrent',
      '3',
      '--after',
      'afterok:3',
      '--retries',
      '2',
      '--log-cap',
      '1M',
      '--az',
      'us-east-1b',
    ];
    const { spec } = await launch([...array, ...words, ...more]);
    expect(spec).toMatchObject({
      throttle: 3,
      after: 'afterok:3',
      retries: 2,
      logCapBytes: 1024 ** 2,
      instances: {
        spot: true,
        spotMaxPrice: 0.5,
        dns: 'd',
        tags: { a: 'b=c' },
        onComplete: 'terminate',
        onIdle: 'hibernate',
        region: 'us-east-1',
        zone: 'us-east-1b',
      },
    });
    const idle = ['--hibernate', '--on-idle', 'stop', '--idle-timeout', '5m'];
    expect((await launch([...array, ...idle])).spec?.instances).toMatchObject({
      onIdle: 'stop',
      idleTimeoutMs: 300_000,
    });
  });

  test('a sweep: a set of parameters a member, as they were written', async () => {
    const { spec } = await launch(['--param-file', 'grid.yaml', '--name', 's'], { size: 4 });
    expect(spec).toMatchObject({ array: '0-3', instances: { ttlMs: 7_200_000 } });
    expect(spec?.instances?.params).toEqual([
      { epochs: '5', lr: '1e-3', seed: '1' },
      { epochs: '5', lr: '1e-3', seed: '2' },
      { epochs: '5', lr: '0.10', seed: '1' },
      { epochs: '5', lr: '0.10', seed: '2' },
    ]);
    const over = await launch(['--param-file', 'grid.yaml', '--name', 's', '--ttl', '1h'], { size: 4 });
    expect(over.spec?.instances?.ttlMs).toBe(3_600_000);
  });

  test('what the coordinator finds wrong is told with the option', async () => {
    const submit = async () => {
      throw new SpawnError('BAD_REQUEST', { where: 'spec.instances.zone', expected: 'a zone', found: 'q' });
    };
    expect(await launch(array, { client: { submit } })).toMatchObject({
      code: 2,
      err: 'spawn: --az: expected a zone, found "q"\n',
    });
  });

  test('a name that is taken', async () => {
    const submit = async () => {
      throw new SpawnError('NAME_TAKEN', { what: 'instance array', name: NAME, holder: 'job 7' });
    };
    expect((await launch(array, { client: { submit } })).code).toBe(65);
  });
});
