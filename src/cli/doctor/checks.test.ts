import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aServer, runCli } from '../../../test/support/cli-world.ts';
import { packageVersion } from '../../client/node/package-files.ts';
import { readSettings } from '../../config/settings.ts';
import { checksOf as agentChecks } from './check-agent.ts';
import { checkDirectories, checkLimits, checkNode } from './check-machine.ts';
import { checkServer, checksOf as serverChecks } from './check-server.ts';

const uid = process.getuid?.() ?? 0;
const results = (checks: readonly { name: string; result: string }[]) =>
  Object.fromEntries(checks.map(({ name, result }) => [name, result]));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-doctor-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ['v22.18.0', 'ok'],
  ['v24.0.0', 'ok'],
  ['v22.17.1', 'fail'],
  ['v20.20.2', 'fail'],
])('Node %s is %s', (version, result) => {
  expect(checkNode(version).result).toBe(result);
});

describe('directories', () => {
  const check = (data: string) =>
    checkDirectories(
      readSettings({ SPAWN_DATA_DIR: join(folder, data), SPAWN_RUNTIME_DIR: join(folder, 'run') }, uid),
      uid,
    );

  test('that are not there yet are made later, and looked at where they will be', () => {
    expect(results(check('none'))).toEqual({
      'data directory': 'ok',
      disk: 'ok',
      space: expect.stringMatching(/ok|warn/),
      'socket directory': 'ok',
    });
  });

  test('that others may enter, or that are files, fail with advice', () => {
    mkdirSync(join(folder, 'open'));
    chmodSync(join(folder, 'open'), 0o755);
    const [open] = check('open');
    expect(open).toMatchObject({
      result: 'fail',
      found: `${folder}/open is open to others (mode 755)`,
      advice: `chmod 700 ${folder}/open`,
    });
    writeFileSync(join(folder, 'file'), '');
    expect(check('file')[0]).toMatchObject({ result: 'fail', found: `${folder}/file is no directory` });
    chmodSync(join(folder, 'open'), 0o700);
    expect(check('open')[0]).toMatchObject({ result: 'ok' });
  });
});

test('limits are those of this process', () => {
  expect(checkLimits().map(({ name }) => name)).toEqual(['open files', 'processes']);
});

test('the agent: what it offers and how it holds tasks to it', () => {
  const good = {
    resources: { cpus: 2, memoryBytes: 1024 ** 3 },
    gpus: { source: 'none', problems: [] },
    cpuBinding: true,
    forker: 'native',
    kills: 'descendants',
    memoryLimit: 'cgroup',
  };
  expect(new Set(agentChecks(good).map(({ result }) => result))).toEqual(new Set(['ok']));
  const worse = { ...good, forker: 'fallback', kills: 'processGroup', memoryLimit: 'none', gpus: { problems: ['x'] } };
  expect(results(agentChecks(worse))).toMatchObject({
    forker: 'warn',
    GPUs: 'warn',
    'kill level': 'warn',
    'memory limit': 'warn',
  });
});

describe('the coordinator', () => {
  const version = packageVersion();

  test.each([
    [aServer({ version }), { coordinator: 'ok', store: 'ok', workers: 'warn', clock: 'ok' }],
    [aServer({ version: '0.0.1', writable: false }), { coordinator: 'warn', store: 'fail' }],
    [aServer({ version, startedAt: Date.UTC(2026, 0, 1, 0, 1) }), { clock: 'warn' }],
  ])('%#', (server, expected) => {
    expect(results(serverChecks(server, Date.UTC(2026, 0, 1)))).toMatchObject(expected);
  });

  test('a clock that cannot be', () => {
    expect(results(serverChecks(aServer(), 0))).toMatchObject({ clock: 'fail' });
  });

  test('elsewhere: asked once, with TLS and a token looked at', async () => {
    const seen = async (env: Record<string, string>) => {
      const client = { server: async () => aServer({ version }) };
      const world = { env, now: () => Date.UTC(2026, 0, 1), connect: async () => client };
      return results(await checkServer(world as unknown as Parameters<typeof checkServer>[0]));
    };
    expect(await seen({ SPAWN_SERVER: 'http://10.0.0.1:7700' })).toMatchObject({ connection: 'warn', token: 'fail' });
    expect(await seen({ SPAWN_SERVER: 'https://a:7700', SPAWN_TOKEN_FILE: '/t' })).toMatchObject({
      connection: 'ok',
      token: 'ok',
    });
    expect(await seen({ SPAWN_SERVER: 'http://127.0.0.1:7700', SPAWN_TOKEN: 's' })).toMatchObject({ connection: 'ok' });
  });
});

test('spawn doctor fails when something fails, and starts nothing', async () => {
  const status = async () => undefined;
  const start = async () => {
    throw new Error('started');
  };
  const server = async () => ({ status, start, stop: start, serveHere: start }) as never;
  const data = join(folder, 'data');
  mkdirSync(data);
  chmodSync(data, 0o755);
  const env = { ...process.env, HOME: folder, SPAWN_DATA_DIR: data, XDG_CONFIG_HOME: join(folder, 'config') };
  const { code, out, calls } = await runCli(['doctor'], { world: { env, server, now: Date.now } });
  expect(code).toBe(1);
  expect(calls).toEqual([]);
  expect(out).toContain(`fail\tdata directory\t${data} is open to others (mode 755)\tchmod 700 ${data}\n`);
  expect(out).toContain('info\tcoordinator\tnot running; it starts by itself when it is needed\t\n');
});
