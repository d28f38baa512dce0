import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { scriptBehindServer } from '../../test/support/script-behind-server.ts';
import { ScriptedCoordinator, scriptedJob } from '../../test/support/scripted-coordinator.ts';
import { until } from '../../test/support/until.ts';
import { identify } from '../client/node/process-identity.ts';
import { ERRORS } from '../core/error-table.ts';
import { encodeOutcome } from '../core/outcome.ts';

const program = fileURLToPath(new URL('../bin/spored.ts', import.meta.url));
const LOST = encodeOutcome({ kind: 'lost' });
const PREEMPTED = encodeOutcome({ kind: 'preempted' });
/** Notes its process number and runs until the file `go` is there. */
const WAITS = 'echo $$ >>"$OUT/pids"; until [ -e "$OUT/go" ]; do sleep 0.02; done';

/** A worker that is a process of its own, under the real server and a scripted coordinator. */
async function setUp(flags: string[] = [], leaseMs = 30_000) {
  const folder = mkdtempSync(join(tmpdir(), 'spawn-spored-'));
  const coordinator = new ScriptedCoordinator();
  Object.assign(coordinator, { logDir: join(folder, 'logs'), leaseMs, heartbeatMs: leaseMs / 3 });
  const { path } = await scriptBehindServer(coordinator);
  const args = ['--server', `unix:${path}`, '--data-dir', join(folder, 'data'), '--cpus', '2', ...flags];
  const spored = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  spored.stderr?.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  const exited = once(spored, 'close') as Promise<[number | null, string | null]>;
  onTestFinished(async () => {
    spored.kill('SIGCONT');
    spored.kill('SIGKILL');
    await exited;
    await until('the end of its tasks', () => alive().length === 0);
    rmSync(folder, { recursive: true, force: true });
    expect(coordinator.faults).toEqual([]);
  });
  const pids = () => {
    const path = join(folder, 'pids');
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean).map(Number) : [];
  };
  const alive = () => pids().filter((pid) => identify(pid) !== undefined);
  coordinator.send({ type: 'job', job: scriptedJob(1, WAITS, { env: { OUT: folder }, graceMs: 200 }) });
  const go = () => writeFileSync(join(folder, 'go'), '');
  return { coordinator, folder, spored, exited, pids, alive, go, said: () => said };
}

function signal(process: ChildProcess, name: NodeJS.Signals): void {
  expect(process.kill(name)).toBe(true);
}

describe('a worker process', () => {
  test('SIGTERM: gives back what has not started, finishes what runs, and ends with code 0', async () => {
    const { coordinator, spored, exited, pids, go } = await setUp(['--name', 'anna', '--instance', 'local-7']);
    const fence = coordinator.grant(1, 0, 4);
    await until('two to start', () => pids().length === 2);
    expect(coordinator.hellos).toMatchObject([{ worker: 'anna', instance: 'local-7', pid: spored.pid }]);
    signal(spored, 'SIGHUP');
    signal(spored, 'SIGTERM');
    await until('the rest back', () => coordinator.returned.length === 2);
    go();
    expect(await exited).toEqual([0, null]);
    expect(coordinator.ends.map((end) => [end.fence, end.outcome]).toSorted()).toEqual([
      [fence, 0],
      [fence + 1, 0],
    ]);
    expect(coordinator.byes).toEqual([coordinator.sessionId]);
  });

  test('a second signal ends what runs', async () => {
    const { coordinator, spored, exited, pids, alive } = await setUp();
    coordinator.grant(1, 0, 2);
    await until('two to start', () => pids().length === 2);
    signal(spored, 'SIGTERM');
    await until('the drain', () => coordinator.exchanges.at(-1)?.draining);
    signal(spored, 'SIGINT');
    expect(await exited).toEqual([0, null]);
    expect(coordinator.ends.map(({ outcome }) => outcome)).toEqual([PREEMPTED, PREEMPTED]);
    expect(alive()).toEqual([]);
  });

  test('--grace is all that tasks get', async () => {
    const { coordinator, spored, exited, pids } = await setUp(['--grace', '50ms']);
    coordinator.grant(1, 0, 1);
    await until('it to start', () => pids().length === 1);
    signal(spored, 'SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(coordinator.ends.map(({ outcome }) => outcome)).toEqual([PREEMPTED]);
  });

  test('killed, it takes its tasks with it', async () => {
    const { coordinator, spored, pids, alive } = await setUp();
    coordinator.grant(1, 0, 2);
    await until('two to start', () => pids().length === 2);
    signal(spored, 'SIGKILL');
    await until('the end of both', () => alive().length === 0);
  });

  test('frozen for longer than its lease, its tasks end before the lease does; it reports them lost and goes on', async () => {
    const { coordinator, spored, pids, alive } = await setUp([], 2_000);
    const fence = coordinator.grant(1, 0, 3);
    await until('two to start', () => pids().length === 2);
    signal(spored, 'SIGSTOP');
    const last = performance.now();
    await until('the end of both', () => alive().length === 0);
    expect(performance.now() - last).toBeLessThan(2_000);
    signal(spored, 'SIGCONT');
    await until('the report', () => coordinator.ends.length === 2);
    expect(coordinator.ends.map((end) => [end.fence, end.outcome])).toEqual([
      [fence, LOST],
      [fence + 1, LOST],
    ]);
    await until('the third to start', () => pids().length === 3);
  });

  test('keeps its files to itself', async () => {
    const { coordinator, folder } = await setUp();
    await until('a session', () => coordinator.streams === 1);
    const sessions = join(folder, 'data/worker/sessions');
    const [name] = await until('its record', () => existsSync(sessions) && readdirSync(sessions));
    expect(statSync(join(sessions, name!)).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'data')).mode & 0o777).toBe(0o700);
  });
});

describe('the command line', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [program, ...args], {
      encoding: 'utf8',
      env: { HOME: '/nonexistent' },
      timeout: 20_000,
    });

  test.each([
    [[], '--server: expected unix:/PATH, http://HOST:PORT or https://HOST:PORT (or SPAWN_SERVER), found ""'],
    [['--server', 'unix:x'], '--server: expected unix:/PATH, http://HOST:PORT or https://HOST:PORT, found "unix:x"'],
    [['--server'], '--server: expected a value, found ""'],
    [['--server', 'unix:/x', '--cpus', '-1'], '--cpus: expected a number above 0 and at most 4096, found "-1"'],
    [['--server', 'unix:/x', '--cpus=two'], '--cpus: expected a number above 0 and at most 4096, found "two"'],
    [
      ['--server', 'unix:/x', '--memory', '4X'],
      '--memory: amount of bytes, column 2: expected a unit: B, K, M, G or T, found "X"',
    ],
    [['--server', 'unix:/x', '--grace', 'soon'], '--grace: duration, column 1: expected a whole number with a unit'],
    [['--server', 'unix:/x', '--grace', '30'], '--grace: duration, column 3: expected a unit'],
    [['--server', 'unix:/x', '--forker', 'perl'], '--forker: expected native or node, found "perl"'],
    [['--server', 'unix:/x', '--exit-when-gone', '1'], '--exit-when-gone: duration'],
    [
      ['--server', 'unix:/x', '--name', ''],
      '--name: expected 1 to 255 characters, none of them a control character, found ""',
    ],
    [['--server', 'unix:/x', '--name', 'a\u001b[31m'], 'none of them a control character, found "a\\u001b[31m"'],
    [['--server', 'unix:/x', '--instance', ''], '--instance: expected 1 to 255 characters, none of them'],
    [['--server', 'unix:/x', '--data-dir', ''], '--data-dir: expected a directory, found ""'],
    [['--server', 'unix:/x', '--data-dir', '/dev/null/x'], '--data-dir: expected a directory that can be made'],
    [['--server', 'unix:/x', '--colour'], 'arguments: expected a flag of spored --help, found "--colour"'],
    [['--server', 'unix:/x', '--revive=1'], '--revive: expected no value, found "1"'],
    [['--server', 'unix:/x', 'task'], 'arguments: expected flags only, found "task"'],
  ])('%j is refused with code 2', (args, message) => {
    const { status, stderr, stdout } = run(...args);
    expect(stderr).toContain(message);
    expect([status, stdout]).toEqual([2, '']);
  });

  test('--help says what there is', () => {
    const { status, stdout } = run('--help');
    expect(status).toBe(0);
    for (const flag of [
      'server',
      'name',
      'cpus',
      'memory',
      'data-dir',
      'instance',
      'grace',
      'forker',
      'exit-when-gone',
      'gpus',
      'resources',
      'slots',
      'no-cpu-binding',
      'token-file',
      'ca-file',
      'revive',
      'describe',
    ]) {
      expect(stdout).toContain(`  --${flag} `);
    }
  });

  test('a server that stays away, with --exit-when-gone', () => {
    const { status, stderr } = run(
      '--server',
      'unix:/nonexistent',
      '--data-dir',
      tmpdir(),
      '--exit-when-gone',
      '100ms',
    );
    expect(stderr).toContain('server unix:/nonexistent cannot be reached');
    expect(status).toBe(ERRORS.SERVER_UNREACHABLE.exit);
  });
});
