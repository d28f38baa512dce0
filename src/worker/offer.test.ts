import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FORKERS } from '../../test/support/worker-on-script.ts';
import { isSpawnError } from '../core/errors.ts';
import { type Machine, readFlags, type WorkerFlags } from './flags.ts';
import { transportTo } from './transport-to.ts';

const program = fileURLToPath(new URL('../bin/spored.ts', import.meta.url));
const URL_FLAGS = ['--server', 'https://h:1'];

function flagsOf(args: string[], env: Machine['env'] = {}): WorkerFlags {
  const asked = readFlags(args, { hostname: 'h', env: { HOME: '/home/a', ...env }, cpus: 4, memoryBytes: 1_000 });
  if (asked.kind === 'help') throw new Error('help');
  return asked.flags;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'spawn-offer-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

describe('the flags', () => {
  test('offer what the machine has, unless they say otherwise', () => {
    expect(flagsOf(URL_FLAGS)).toMatchObject({ resources: { cpus: 4, memoryBytes: 1_000 }, bindCpus: true });
    expect(flagsOf(URL_FLAGS)).not.toHaveProperty('gpus');
    const more = [
      '--gpus=0,1',
      '--resources',
      'license=2',
      '--resources=a=1,b=0.5',
      '--slots',
      '9',
      '--no-cpu-binding',
    ];
    expect(flagsOf([...URL_FLAGS, ...more])).toMatchObject({
      gpus: { ids: ['0', '1'] },
      bindCpus: false,
      resources: { cpus: 4, memoryBytes: 1_000, named: { license: 2, a: 1, b: 0.5 }, slots: 9 },
    });
  });

  test.each([
    [['--gpus', '-1'], '--gpus: expected a number of GPUs up to 1024, or which (0,1 or GPU-8932f937-…), each once'],
    [['--gpus', '0,0'], '--gpus: expected a number of GPUs'],
    [['--resources', 'license'], '--resources: expected NAME=AMOUNT[,NAME=AMOUNT…]'],
    [['--resources', 'a=1', '--resources', 'a=1'], '--resources: expected a once, found "a=1"'],
    [['--resource', 'a=1'], 'arguments: expected a flag of spored --help, found "--resource"'],
    [['--slots', '0'], '--slots: expected a whole number from 1 to 1000000, found "0"'],
    [['--slots', '1000001'], '--slots: expected a whole number from 1 to 1000000, found "1000001"'],
    [['--token', 'spawn_1_x'], 'arguments: expected a flag of spored --help, found "--token"'],
    [['--token-file', ''], '--token-file: expected a file, found ""'],
    [
      ['--server', 'unix:/x', '--token-file', '/t'],
      '--token-file: expected --server http://… or https://…, found "unix:/x"',
    ],
    [['--server', 'http://h:1', '--ca-file', '/t'], '--ca-file: expected --server https://…, found "http://h:1"'],
    [['--no-cpu-binding=1'], '--no-cpu-binding: expected no value, found "1"'],
  ])('%j is refused', (args, message) => {
    expect(() => flagsOf([...URL_FLAGS, ...args])).toThrow(message);
  });

  test('settings say the same', () => {
    expect(flagsOf(URL_FLAGS, { SPAWN_BIND_CPUS: '0', SPAWN_TOKEN_FILE: '/t' })).toMatchObject({
      bindCpus: false,
      tokenFile: '/t',
    });
    expect(flagsOf(['--server', 'unix:/x'], { SPAWN_TOKEN_FILE: '/t' })).not.toHaveProperty('tokenFile');
    expect(() => flagsOf(URL_FLAGS, { SPAWN_BIND_CPUS: 'x' })).toThrow('SPAWN_BIND_CPUS: expected 0 or 1, found "x"');
  });
});

describe('the token', () => {
  const token = (letter: string) => `spawn_1_${letter.repeat(43)}`;

  test('is read again before each new session, and is that of every request after it', async () => {
    const seen: string[] = [];
    const server = createServer((request, reply) => {
      seen.push(`${request.url} ${request.headers.authorization?.slice(-1)}`);
      reply.end('{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const tokenFile = join(folder(), 'token');
    writeFileSync(tokenFile, `${token('a')}\n`, { mode: 0o600 });
    const said: string[] = [];
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const transport = transportTo({ server: url, tokenFile }, (line) => said.push(line));
    onTestFinished(() => transport.close());
    const send = async (method: 'GET' | 'POST', path: string) => {
      for await (const _ of (await transport.request({ method, path })).body);
    };
    await send('POST', '/v1/sessions');
    writeFileSync(tokenFile, token('b'));
    await send('POST', '/v1/sessions/1/exchange');
    await send('GET', '/v1/sessions');
    await send('POST', '/v1/sessions');
    await send('POST', '/v1/sessions/1/exchange');
    expect(seen).toEqual([
      '/v1/sessions a',
      '/v1/sessions/1/exchange a',
      '/v1/sessions a',
      '/v1/sessions b',
      '/v1/sessions/1/exchange b',
    ]);
    expect(said).toEqual([]);
    writeFileSync(tokenFile, '');
    await send('POST', '/v1/sessions');
    rmSync(tokenFile);
    await send('POST', '/v1/sessions');
    expect(seen.slice(5)).toEqual(['/v1/sessions b', '/v1/sessions b']);
    expect(said).toEqual([
      `--token-file: file ${tokenFile}: expected a token as \`spawn token create\` printed it, found "nothing"; the token that was read before is used`,
      `--token-file: file "${tokenFile}" not found; the token that was read before is used`,
    ]);
  });

  test('is refused from a file that others can read, and is not shown', () => {
    const tokenFile = join(folder(), 'token');
    writeFileSync(tokenFile, token('x'));
    chmodSync(tokenFile, 0o640);
    let error: unknown;
    try {
      transportTo({ server: 'https://h:1', tokenFile }, () => {});
    } catch (caught) {
      error = caught;
    }
    if (!isSpawnError(error)) throw error;
    expect(error.message).toMatch(/^--token-file: file .*: expected mode 0600 .*, found "mode 0640"$/);
    expect(error.message).not.toContain('xxx');
  });

  test('that others can read on its way is warned of', () => {
    const tokenFile = join(folder(), 'token');
    writeFileSync(tokenFile, token('x'), { mode: 0o600 });
    const said: string[] = [];
    transportTo({ server: 'http://other:1', tokenFile }, (line) => said.push(line)).close();
    expect(said).toEqual(['others can read the token on its way to http://other:1: use https']);
  });

  test('certificates that are none', () => {
    const caFile = join(folder(), 'ca');
    writeFileSync(caFile, 'x');
    expect(() => transportTo({ server: 'https://h:1', caFile }, () => {})).toThrow(
      /^--ca-file: file .*: expected a certificate/,
    );
  });
});

test.each(FORKERS)('--describe prints what a machine offers, and how: %s', async (kind) => {
  const path = folder();
  writeFileSync(join(path, 'nvidia-smi'), '#!/bin/sh\necho "0, GPU-1-2, Test, 100"\n', { mode: 0o755 });
  const args = ['--describe', '--name', 'anna', '--cpus=1.5', '--resources=license=2', '--slots=3', '--forker', kind];
  const env = { PATH: `${path}:/usr/bin:/bin`, HOME: '/nonexistent' };
  const spored = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const said = JSON.parse(await text(spored.stdout));
  expect(said).toMatchObject({
    name: 'anna',
    resources: { cpus: 1.5, named: { license: 2 }, slots: 3, gpus: 1 },
    gpus: { source: 'nvidia-smi', devices: [{ id: '0', name: 'Test', memoryBytes: 100 * 2 ** 20 }], problems: [] },
    forker: kind,
  });
  expect(said.cpuBinding).toBe(said.capabilities.affinity);
  expect(said.memoryLimit).toMatch(/^(?:cgroup|sampled|none)$/);
  expect(said.kills).toBe(said.capabilities.subreaper ? 'descendants' : 'processGroup');
});
