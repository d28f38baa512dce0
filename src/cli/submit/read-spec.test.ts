import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aJob, runCli } from '../../../test/support/cli-world.ts';
import type { SubmitRequestInput } from '../../api/job.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-spec-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function submit(spec: string | object, words: readonly string[] = [], stdin = '') {
  const text = typeof spec === 'string' ? spec : JSON.stringify(spec);
  writeFileSync(join(folder, 'job.json'), text);
  const ran = await runCli(['submit', '--spec', 'job.json', ...words], {
    client: {
      putBlob: async (kind: string) => ({ hash: (kind === 'env' ? 'e' : 's').repeat(64) }),
      submit: async () => ({ job: aJob(), replayed: false, dryRun: false }),
    },
    world: { cwd: folder },
    stdin,
  });
  return { ...ran, spec: (ran.calls.find(([name]) => name === 'submit')?.[1] as SubmitRequestInput | undefined)?.spec };
}

const shell = { kind: 'shell', text: 'date' };

describe('a spec', () => {
  test('is submitted as it is, where and by whom it is submitted added', async () => {
    expect((await submit({ run: shell, array: '0-4', retries: 2, crashLimit: 3, env: { A: '1' } })).spec).toEqual({
      run: shell,
      array: '0-4',
      retries: 2,
      crashLimit: 3,
      env: { A: '1' },
      envSnapshot: 'e'.repeat(64),
      cwd: folder,
      umask: 0o022,
      user: 'ada',
    });
  });

  test('keeps its directory, umask and environment', async () => {
    const own = { cwd: '/', umask: 0o77, envSnapshot: 'f'.repeat(64) };
    const { spec, calls } = await submit({ run: shell, ...own });
    expect(spec).toMatchObject(own);
    expect(calls.map(([name]) => name)).toEqual(['submit']);
  });

  test('is overridden by options, field by field', async () => {
    const file = {
      run: shell,
      array: '0-99',
      throttle: 5,
      beginAt: 5,
      deadlineInMs: 5_000,
      env: { A: '1', B: '1' },
      resources: { x: 1, y: 1 },
    };
    const words = [
      '--array',
      '3',
      '--begin',
      '1m',
      '--deadline',
      '2027-01-01T00:00Z',
      '--env',
      'B=2',
      '--resource',
      'y=2',
    ];
    const { spec } = await submit(file, words);
    expect(spec).toMatchObject({
      array: '0-2',
      throttle: 5,
      beginInMs: 60_000,
      deadlineAt: Date.UTC(2027, 0, 1),
      env: { A: '1', B: '2' },
      resources: { x: 1, y: 2 },
    });
    expect(spec).not.toHaveProperty('beginAt');
    expect(spec).not.toHaveProperty('deadlineInMs');
  });

  test('brings its script, as text or in base64, or names one that is stored', async () => {
    const script = { kind: 'script', name: 'run.sh', args: ['a'] };
    const text = await submit({ run: { ...script, content: '#!/bin/sh\n' } });
    expect(Buffer.from(text.calls.find((call) => call[1] === 'script')![2] as Uint8Array).toString()).toBe(
      '#!/bin/sh\n',
    );
    expect(text.spec?.run).toEqual({ ...script, hash: 's'.repeat(64) });
    const base64 = await submit({ run: { ...script, encoding: 'base64', content: 'IyFh/w==' } });
    const bytes = base64.calls.find((call) => call[1] === 'script')![2] as Uint8Array;
    expect([...bytes]).toEqual([0x23, 0x21, 0x61, 0xff]);
    const stored = await submit({ run: { ...script, hash: 'a'.repeat(64) } });
    expect(stored.spec?.run).toEqual({ ...script, hash: 'a'.repeat(64) });
  });

  test('may leave to the command line what runs', async () => {
    expect((await submit({ cpus: 2 }, ['--', 'ls'])).spec?.run).toEqual({ kind: 'argv', argv: ['ls'] });
    expect((await submit({ run: shell }, ['--command', 'ls'])).spec?.run).toEqual({ kind: 'shell', text: 'ls' });
  });

  test('comes from standard input', async () => {
    const ran = await runCli(['submit', '--spec', '-', '--cwd', '/'], {
      client: {
        putBlob: async () => ({ hash: 'e'.repeat(64) }),
        submit: async () => ({ job: aJob(), replayed: false }),
      },
      stdin: JSON.stringify({ run: shell }),
    });
    expect(ran.calls.find(([name]) => name === 'submit')?.[1]).toMatchObject({ spec: { run: shell, cwd: '/' } });
  });
});

describe('refused, with the file and the field', () => {
  test.each([
    ['{"run": {]', 'job.json:1:10: expected a name in double quotes, found "]"'],
    ['{\n  "cpus": 1,\n}', 'job.json:3:1: expected a name in double quotes, found "}"'],
    ['', 'job.json:1:1: expected a value, found the end'],
    ['[]', 'job.json: expected a JSON object, found []'],
    [{ run: shell, cpu: 2 }, 'job.json: spec.cpu: expected no field of this name, found 2'],
    [{ run: shell, cpus: '2' }, 'job.json: spec.cpus: expected a number, found "2"'],
    [{ run: shell, retries: -1 }, 'job.json: spec.retries: expected at least 0, found -1'],
    [{ run: { kind: 'shell' } }, 'job.json: spec.run.text: expected text, found nothing'],
    [
      { run: { kind: 'script', name: 'x' } },
      'job.json: spec.run: expected either hash or content, found {"kind":"script","name":"x"}',
    ],
    [
      { run: { kind: 'script', name: 'x', content: '' } },
      'job.json: spec.run.content: expected a script, found nothing in it',
    ],
    [
      { run: { kind: 'script', name: 'x', content: '?', encoding: 'base64' } },
      'job.json: spec.run.content: expected base64, found something else',
    ],
    [{ run: shell, cwd: 'sub' }, 'job.json: spec.cwd: expected text that starts with "/", found "sub"'],
    [{ run: shell, cwd: '/no/such' }, 'job.json: spec.cwd: expected a directory that exists, found "/no/such"'],
    [
      { cpus: 1 },
      'job.json: spec.run: expected what to run, there or on the command line, found nothing; see: spawn help submit',
    ],
  ])('%j', async (spec, message) => {
    expect(await submit(spec)).toMatchObject({ code: 2, out: '', err: `spawn: ${message}\n`, calls: [] });
  });

  test('no file', async () => {
    const ran = await runCli(['submit', '--spec', '/no/such.json']);
    expect(ran).toMatchObject({ code: 2, err: 'spawn: --spec: file "/no/such.json" not found\n' });
  });

  test('a spec and a script on the same standard input', async () => {
    const ran = await runCli(['submit', '--spec', '-', '-'], { stdin: '{}' });
    expect(ran).toMatchObject({
      code: 2,
      err: 'spawn: submit: expected a spec or a script on standard input, found both\n',
    });
  });
});
