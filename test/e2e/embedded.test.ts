import { spawn } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import type { connect } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JobView } from '../../src/api/job.ts';
import type { ServerView } from '../../src/api/server-view.ts';
import { finished, OwnCoordinator } from '../support/own-coordinator.ts';
import { requireOr } from '../support/require.ts';
import { until } from '../support/until.ts';

const builtServer = fileURLToPath(new URL('../../dist/bin/server.js', import.meta.url));
const asRoot = requireOr('root, to act as another user', process.getuid?.() === 0);

let box: OwnCoordinator;
beforeEach(() => {
  box = new OwnCoordinator();
});
afterEach(async () => {
  await box.close();
});

describe('the first use', () => {
  test('starts a coordinator, says so in one line, and runs the job', async () => {
    const first = await box.run(['submit', '--array', '10', '--wait', '--', 'true']);
    const server = await box.server();
    expect(first.code).toBe(0);
    const line = `spawn: started a coordinator in the background (pid ${server.pid}, data in ${box.dataDir})`;
    expect(first.err.split('\n').filter((text) => text.includes('coordinator'))).toEqual([line]);

    const second = await box.run(['jobs']);
    expect(second).toMatchObject({ code: 0, err: '' });
    expect(await box.server()).toEqual(server);
  });

  test('leaves processes that no terminal holds and files that nobody else can read', async () => {
    await box.ok('jobs');
    const [keeper, server, worker] = [await box.keeper(), await box.server(), await box.worker()];
    for (const { pid } of [keeper, server, worker, worker.forker]) {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const [, , , session, terminal] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      expect([Number(session), Number(terminal)]).toEqual([pid, 0]);
    }
    for (const { pid } of [keeper, server, worker]) {
      expect(readlinkSync(`/proc/${pid}/cwd`)).toBe('/');
      const log = pid === worker.pid ? box.files.workerLog : box.files.serverLog;
      expect([0, 1, 2].map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))).toEqual(['/dev/null', log, log]);
    }
    expect(statSync(box.runtimeDir).mode & 0o777).toBe(0o700);
    expect(statSync(server.socketPath).mode & 0o777).toBe(0o600);
    const open = readdirSync(box.dataDir, { recursive: true, encoding: 'utf8' }).filter(
      // What a link leads to is a program of the package.
      (name) =>
        !lstatSync(join(box.dataDir, name)).isSymbolicLink() && (statSync(join(box.dataDir, name)).mode & 0o077) !== 0,
    );
    expect(open).toEqual([]);
  });

  test('by many commands at once starts one coordinator', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => box.run(['submit', '--wait', '--', 'true'])));
    expect(all.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0]);
    expect(all.filter(({ err }) => err.includes('spawn: started a coordinator'))).toHaveLength(1);
    const jobs = await box.json<JobView[]>('jobs', '--all');
    expect(jobs.map(({ id }) => id).toSorted()).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('one coordinator for one store', () => {
  test('a second one is refused, and the first one is named', async () => {
    await box.ok('jobs');
    const { pid } = await box.server();
    const args = [
      '--data-dir',
      box.dataDir,
      '--runtime-dir',
      box.runtimeDir,
      '--socket',
      join(box.runtimeDir, 'other'),
    ];
    const second = await finished(spawn(process.execPath, [builtServer, ...args], { env: box.env }));
    expect(second.code).toBe(75);
    expect(second.err).toContain(`in use by process ${pid} on`);
    expect(await box.server()).toMatchObject({ pid });
  });

  test('a command with another runtime folder uses the one that runs', async () => {
    const { pid } = await (async () => {
      await box.ok('jobs');
      return box.server();
    })();
    const elsewhere = { SPAWN_RUNTIME_DIR: join(box.folder, 'elsewhere') };
    const { out } = await box.run(['server', 'status', '-o', 'json'], elsewhere);
    expect((JSON.parse(out) as ServerView).pid).toBe(pid);
    expect(await box.run(['jobs'], elsewhere)).toMatchObject({ code: 0, err: '' });
  });

  test('a store of a newer release is refused in one line', async () => {
    await box.ok('jobs');
    await box.ok('server', 'stop');
    const db = new DatabaseSync(join(box.dataDir, 'spawn.db'));
    db.exec('UPDATE meta SET schema_version = 9999');
    db.close();
    const { code, err } = await box.run(['jobs']);
    expect(code).toBe(78);
    expect(err).toMatch(/^spawn: store .*expected schema \d+ or older, found 9999; install a newer release\n$/);
    expect(box.processes()).toEqual([]);
  });
});

test('a socket that was removed is made again', async () => {
  await box.ok('jobs');
  const { pid, socketPath } = await box.server();
  rmSync(socketPath);
  await box.server(pid);
  await until('the socket', () => statSync(socketPath, { throwIfNoEntry: false })?.isSocket());
  expect(await box.run(['jobs'])).toMatchObject({ code: 0, err: '' });
});

test('a data directory that was removed takes its processes with it', async () => {
  await box.ok('jobs');
  await box.worker();
  rmSync(box.dataDir, { recursive: true });
  await until('the end of every process', () => box.processes().length === 0);
});

describe('two users', () => {
  asRoot('do not meet, and cannot reach each other', async () => {
    const other = new OwnCoordinator(65_534);
    try {
      await other.submit('--wait', '--', 'true');
      await box.submit('--wait', '--', 'true');
      const [mine, theirs] = [await box.server(), await other.server()];
      expect(statSync(`/proc/${theirs.pid}`).uid).toBe(65_534);
      expect(mine.pid).not.toBe(theirs.pid);
      expect((await other.json<JobView[]>('jobs', '--all')).map(({ id, owner }) => [id, owner])).toEqual([
        [1, '65534'],
      ]);

      const intruder = await other.run(['jobs'], { SPAWN_RUNTIME_DIR: box.runtimeDir, SPAWN_DATA_DIR: box.dataDir });
      expect(intruder.code).toBe(77);
      expect(intruder.err).toContain('socket directory');
      expect(await connectAs(65_534, mine.socketPath)).toBe('EACCES');
    } finally {
      await other.close();
    }
  });

  test('a runtime folder that others can enter is refused', async () => {
    const path = box.makeFolder('shared');
    const { code, err } = await box.run(['jobs'], { SPAWN_RUNTIME_DIR: path });
    expect(code).toBe(77);
    expect(err).toMatch(/^spawn: socket directory ".*shared": expected .*, found mode 0755\n$/);
  });
});

/** The error of another user who connects to a socket, or `connected`. */
async function connectAs(uid: number, path: string): Promise<string> {
  const program = `(${tryConnect.toString()})(require('node:net').connect, process.argv[1])`;
  const { out } = await finished(spawn(process.execPath, ['-e', program, path], { uid, gid: uid, cwd: '/' }));
  return out.trim();
}

function tryConnect(open: typeof connect, path: string): void {
  const socket = open(path, () => {
    console.log('connected');
    socket.end();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => console.log(error.code));
}
