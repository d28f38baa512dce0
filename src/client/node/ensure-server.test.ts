import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../../test/support/until.ts';
import { dataFiles } from './data-files.ts';
import { ensureServer, findServer } from './ensure-server.ts';
import { packageVersion } from './package-files.ts';
import { isAlive, signalProcess } from './process-identity.ts';
import { readLiveRecord } from './process-record.ts';
import { backgroundEnv, type EmbeddedPlace, sharedSecrets } from './start-keeper.ts';
import { processesOf, stopServer } from './stop-server.ts';

const source = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

let folder: string;
let place: EmbeddedPlace;
let keeper: string;
let lines: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-ensure-'));
  const runtimeDir = join(folder, 'runtime');
  place = { dataDir: join(folder, 'data'), runtimeDir, socketPath: join(runtimeDir, 's') };
  keeper = join(folder, 'keeper.mjs');
  const program = JSON.stringify(source('test/support/dummy-server.ts'));
  writeFileSync(
    keeper,
    `import { keepServer } from ${JSON.stringify(source('src/bin/keep-server.ts'))};
     process.exitCode = await keepServer([...process.argv.slice(2), '--program', ${program}]);`,
  );
  lines = [];
});
afterEach(async () => {
  await stopServer(place);
  rmSync(folder, { recursive: true, force: true });
});

const ensure = () => ensureServer(place, { keeper, announce: (line) => lines.push(line) });

test('the first use starts a coordinator and says so in one line; the next finds it', async () => {
  const first = await ensure();
  expect(first).toMatchObject({ started: true, socketPath: place.socketPath });
  const { pid } = first.server;
  expect(lines).toEqual([`spawn: started a coordinator in the background (pid ${pid}, data in ${place.dataDir})`]);
  const second = await ensure();
  expect(second).toMatchObject({ started: false, server: { pid } });
  expect(lines).toHaveLength(1);
});

test('many first uses at once start one', async () => {
  const all = await Promise.all(Array.from({ length: 6 }, ensure));
  expect(new Set(all.map(({ server }) => server.pid)).size).toBe(1);
  expect(all.filter(({ started }) => started)).toHaveLength(1);
  expect(lines).toHaveLength(1);
  await until('one keeper and one server', () => processesOf(place).length === 2);
});

test('a server that comes back is waited for, not started twice', async () => {
  const { server } = await ensure();
  const keeperRecord = readLiveRecord(dataFiles(place.dataDir).keeper);
  signalProcess(readLiveRecord(dataFiles(place.dataDir).server)!, 'SIGKILL');
  const again = await until('another server', async () => {
    const found = await ensure();
    return found.server.pid !== server.pid && found;
  });
  expect(again.started).toBe(false);
  expect(readLiveRecord(dataFiles(place.dataDir).keeper)).toEqual(keeperRecord);
});

test('a server that was started with its socket elsewhere is found by its record', async () => {
  const { server } = await ensure();
  const other = { ...place, runtimeDir: join(folder, 'other'), socketPath: join(folder, 'other/s') };
  expect(await ensureServer(other, { keeper })).toMatchObject({
    started: false,
    socketPath: place.socketPath,
    server: { pid: server.pid },
  });
});

test('why a server cannot start is what the caller gets', async () => {
  mkdirSync(place.dataDir, { recursive: true });
  writeFileSync(join(place.dataDir, 'exit-code'), '78');
  await expect(ensure()).rejects.toMatchObject({ code: 'STORE_NEWER', message: 'the store is newer' });
});

test('a server that is slow to start is waited for longer, and that is said', async () => {
  mkdirSync(place.dataDir, { recursive: true });
  const gate = join(place.dataDir, 'wait');
  writeFileSync(gate, '');
  const announce = (line: string) => {
    lines.push(line);
    rmSync(gate, { force: true });
  };
  expect(await ensureServer(place, { keeper, timeoutMs: 2_000, announce })).toMatchObject({ started: true });
  expect(lines[0]).toBe('spawn: the coordinator takes long to start; waiting for up to 12 s');
});

test('a server that does not answer in time is an error with the end of its log', async () => {
  mkdirSync(place.dataDir, { recursive: true });
  writeFileSync(join(place.dataDir, 'exit-code'), '75');
  await expect(ensureServer(place, { keeper, timeoutMs: 3_000 })).rejects.toMatchObject({
    code: 'SERVER_UNREACHABLE',
    message: expect.stringMatching(/no answer within 3 s; .*server\.log ends with:\n.*server ended \(exit code 75\)/s),
  });
});

test('a socket folder that lets others in is refused, and nothing is started', async () => {
  mkdirSync(place.runtimeDir, { recursive: true, mode: 0o777 });
  await expect(ensure()).rejects.toMatchObject({ code: 'SOCKET_NOT_PRIVATE' });
  expect(processesOf(place)).toEqual([]);
});

test('a server of another release is used, and named', async () => {
  const { server } = await ensure();
  await stopServer(place);
  mkdirSync(place.runtimeDir, { recursive: true, mode: 0o700 });
  const program = `require('node:http').createServer((q, r) => r.end('{"version":"0.0.1","pid":7}')).listen(process.argv[1], () => console.log('up'))`;
  const old = spawn(process.execPath, ['-e', program, place.socketPath], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(old.stdout, 'data');
  lines = [];
  expect(await ensure()).toMatchObject({ started: false, server: { pid: 7 } });
  expect(server.version).toBe(packageVersion());
  expect(lines).toEqual([expect.stringContaining(`(pid 7) is of release 0.0.1, this command of ${packageVersion()};`)]);
  old.kill('SIGKILL');
  await once(old, 'exit');
});

test('stop leaves no process, and says when there was none', async () => {
  await ensure();
  const before = processesOf(place);
  expect(before).toHaveLength(2);
  expect(await stopServer(place)).toBe(true);
  expect(before.filter(isAlive)).toEqual([]);
  expect(await findServer(place)).toBeUndefined();
  expect(await stopServer(place)).toBe(false);
});

test('stop ends a server that does not answer', async () => {
  await ensure();
  const before = processesOf(place);
  rmSync(place.socketPath);
  expect(await stopServer(place)).toBe(true);
  expect(before.filter(isAlive)).toEqual([]);
});

test('background processes get no secrets of the terminal that happened to start them', () => {
  const env = {
    PATH: '/bin',
    HOME: '/h',
    LC_ALL: 'C',
    XDG_DATA_HOME: '/d',
    SPAWN_DATA_DIR: '/s',
    AWS_SECRET: 'x',
    SPAWN_SESSION: '3',
    SPAWN_TASK_ID: '1_2',
    NODE_OPTIONS: 'y',
  };
  expect(backgroundEnv(env)).toEqual({
    PATH: '/bin',
    HOME: '/h',
    LC_ALL: 'C',
    XDG_DATA_HOME: '/d',
    SPAWN_DATA_DIR: '/s',
  });
});

test('the coordinator gets those secrets that the setting names, and what runs beside it does not', () => {
  const env = { SPAWN_SHARED_SECRETS: 'file:/etc/hook, env:SLACK,env:NONE', SLACK: 'x', AWS_SECRET: 'y' };
  expect(sharedSecrets(env)).toEqual({ SLACK: 'x' });
  expect(sharedSecrets({ SLACK: 'x' })).toEqual({});
  expect(backgroundEnv(env)).toEqual({ SPAWN_SHARED_SECRETS: env.SPAWN_SHARED_SECRETS });
});
