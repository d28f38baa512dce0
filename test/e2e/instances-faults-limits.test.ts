import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isAlive } from '../../src/client/node/process-identity.ts';
import { FaultyInstances, soon } from '../support/instance-faults.ts';
import { requireOr } from '../support/require.ts';
import { canMountSmallDisk } from '../support/small-disk.ts';

const LONG = { timeout: 300_000 };

describe('what is taken, spent or impossible', () => {
  let own: FaultyInstances;

  beforeAll(() => {
    own = new FaultyInstances();
    return own.isUp();
  });
  afterAll(() => own.close(), 300_000);

  test('a spot interruption gives its notice and takes exactly that member', LONG, async () => {
    const noticed = join(own.folder, 'noticed');
    const preStop = `cat /etc/spawn/interruption.json > ${noticed}; spored status >> ${noticed}`;
    await own.launchWaiters('spot', 3, '--spot', '--pre-stop', preStop);
    await own.ok('interrupt', 'spot-1', '--notice', '3s', '-y');
    const rows = await own.reaches('spot', 'one is taken', (all) => all[1]!.state === 'terminated');
    expect(rows.map(({ state, reason }) => [state, reason])).toEqual([
      ['running', null],
      ['terminated', 'interrupted'],
      ['running', null],
    ]);
    expect(readFileSync(noticed, 'utf8')).toMatch(
      /^\{"action":"terminate","time":"(.{20})"\}\n.*\nInterrupted: +\1 \(terminate\)\n/s,
    );
    own.letGo('spot');
    const tasks = await own.endedTasks('spot');
    expect(tasks.map(({ state, reason }) => [state, reason])).toEqual([
      ['completed', null],
      ['cancelled', 'its instance was interrupted'],
      ['completed', null],
    ]);
    await own.ok('terminate', '--job-array-name', 'spot', '-y');
  });

  test('one task that fails ends all with --fail-all-on-one', LONG, async () => {
    const command = 'if [ $JOB_ARRAY_INDEX = 1 ]; then exit 3; fi; exec sleep 600';
    const { code } = await own.launched(
      ...['--count', '3', '--job-array-name', 'all', '--fail-all-on-one', '--command', command],
    );
    expect(code).toBe(3);
    const rows = await own.reached('all', 'terminated', 3);
    expect(rows.filter(({ reason }) => reason === 'array-failed').length).toBeGreaterThanOrEqual(2);
    expect((await own.endedTasks('all')).map(({ state }) => state)).toEqual(['cancelled', 'failed', 'cancelled']);
  });

  /** Launches three of which the second cannot start: its agent finds a file where its log shall be. */
  async function launchOneImpossible(name: string, ...options: string[]) {
    const agent = await own.agent();
    process.kill(agent.pid, 'SIGSTOP');
    try {
      const asked = own.run([...own.waiters(name, 3, ...options), '--wait-for-running']);
      await soon('three orders', async () => (await own.members(name)).length === 3 && own.directories().length >= 3);
      const { instance_id: id } = await own.member(name, 1);
      await soon('its order', () => existsSync(join(own.directory(id), 'start')));
      writeFileSync(join(own.directory(id), 'log'), 'no directory');
      process.kill(agent.pid, 'SIGCONT');
      return await asked;
    } finally {
      process.kill(agent.pid, 'SIGCONT');
    }
  }

  test.each([
    ['cleanup', [], 69, ['terminated', 'terminated', 'terminated']],
    ['fail-all', [], 69, ['terminated', 'terminated', 'terminated']],
    ['keep', [], 69, ['running', 'terminated', 'running']],
    ['cleanup', ['--min-viable', '2'], 0, ['running', 'terminated', 'running']],
  ] as const)('a member that cannot start, with --on-failure %s %j', LONG, async (policy, more, code, states) => {
    const name = `one-${policy}-${more.length}`;
    const said = await launchOneImpossible(name, '--on-failure', policy, ...more);
    expect(said).toMatchObject({ code, err: expect.stringContaining(`${name}-1`) });
    const rows = await own.reaches(
      name,
      states.join(),
      (all) => all.map(({ state }) => state).join() === states.join(),
    );
    expect(rows[1]).toMatchObject({ reason: 'launch-failed' });
    await soon('nothing of it', () => !existsSync(own.directory(rows[1]!.instance_id)));
    await own.ok('terminate', '--job-array-name', name, '-y');
    await own.reached(name, 'terminated', 3);
  });

  test('a task that takes more memory than its instance has is told as that, with how much it has', LONG, async () => {
    const command = `python3 -c 'import time; b = bytearray(3 * 2 ** 29); time.sleep(600)'`;
    const { code } = await own.launched('eater', '--instance-type', 't3.micro', '--command', command);
    expect(code).not.toBe(0);
    expect((await own.endedTasks('eater'))[0]).toMatchObject({ state: 'failed', outcome: 'out of memory', attempt: 1 });
    expect(await own.ok('why', 'eater')).toContain('out of memory: a t3.micro has 1G');
    expect((await own.members('eater'))[0]).toMatchObject({ state: 'running' });
    await own.ok('terminate', 'eater', '-y');
  });

  test('bad input is refused with what was expected, and leaves nothing behind', LONG, async () => {
    await own.launchWaiters('taken', 1);
    const before = { rows: (await own.list('--state', 'all')).length, directories: own.directories() };
    writeFileSync(join(own.folder, 'large'), Buffer.alloc(17 * 2 ** 20, 'x'));
    const refused: [string[], number, RegExp][] = [
      [['launch', '--count', '0', '--job-array-name', 'x'], 2, /--count: expected .*found "?0"?/],
      [['launch', '--count', '10000000', '--job-array-name', 'x'], 2, /(--count|array).*10,?000,?000/],
      [['launch', 'x', '--ttl', '0'], 2, /--ttl: expected .*found "?0"?/],
      [['launch', 'x', '--ttl', '4'], 2, /--ttl: .*expected a unit/],
      [['launch', 'x', '--ttl', '-1h'], 2, /--ttl: expected .*found "-1h"/],
      [['launch', 'x', '--idle-timeout', 'soon'], 2, /--idle-timeout: .*expected .*found "soon"/],
      [['launch', '--count', '2', '--job-array-name', 'Not_DNS'], 2, /Not_DNS/],
      [['launch', '--count', '2', '--job-array-name', 'x', '--instance-names', 'same'], 2, /\{index/],
      [['launch', 'x', '--instance-type', 'm9.huge'], 2, /m9\.huge/],
      [['launch', 'x', '--user-data', '@large'], 2, /large|16/],
      [['launch', '--count', '2', '--job-array-name', 'x', '--min-viable', '3'], 2, /min-viable/],
      [own.waiters('taken', 1, '--detach'), 65, /taken/],
      [['terminate', 'nobody-0', '-y'], 66, /"nobody-0" not found/],
      [['stop', 'taken-7', '-y'], 66, /"taken-7" not found/],
      [['extend', 'taken-0', 'long'], 2, /expected .*found "long"/],
      [['extend', 'taken-0', '--ttl', '0'], 2, /--ttl/],
      [['resize', 'nothing', '--count', '3', '-y'], 66, /nothing/],
      [['resize', 'taken', '--count', '0', '-y'], 2, /--count/],
      [['interrupt', 'taken-0', '--notice', 'now', '-y'], 2, /--notice/],
    ];
    const wrong: unknown[] = [];
    for (const [args, code, says] of refused) {
      const { code: found, err } = await own.run(args);
      if (found !== code || !says.test(err)) wrong.push({ args: args.join(' '), expected: code, found, err });
    }
    expect(wrong).toEqual([]);
    expect({ rows: (await own.list('--state', 'all')).length, directories: own.directories() }).toEqual(before);
    await own.ok('terminate', 'taken-0', '-y');
  });
});

describe('the address of the DNS server', () => {
  test('that is taken is said; instances launch, and find each other by name', LONG, async () => {
    const own = new FaultyInstances();
    const taken = createSocket('udp4');
    await new Promise<void>((resolve) => taken.bind(0, '127.53.251.7', resolve));
    try {
      Object.assign(own.env, { SPAWN_DNS_LISTEN: `127.53.251.7:${taken.address().port}` });
      await own.isUp();
      const [row] = await own.launchWaiters('nameless', 2);
      expect(own.serverSaid('no DNS server: names of instances are known inside them only')).toHaveLength(1);
      await soon('the peers', () => existsSync(join(own.directory(row!.instance_id), 'spawn/job-array-peers.json')));
      expect(await own.ok('connect', 'nameless-0', '--', 'getent', 'hosts', 'nameless-1')).toMatch(/^127\./);
      own.letGo('nameless');
    } finally {
      taken.close();
      await own.close();
    }
  });
});

const mountable = canMountSmallDisk();

describe('a full disk', () => {
  requireOr('mounting a small tmpfs (root)', mountable)(
    'refuses a launch and says so, lets what runs go on and end, and recovers',
    LONG,
    async () => {
      const own = new FaultyInstances();
      mkdirSync(own.dataDir, { mode: 0o700 });
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m,mode=0700', 'tmpfs', own.dataDir]);
      const ballast = join(own.dataDir, 'ballast');
      try {
        await own.isUp();
        const rows = await own.launchWaiters('runs', 2);
        const inits = rows.map(({ instance_id: id }) => own.init(id)!);
        try {
          execFileSync('dd', ['if=/dev/zero', `of=${ballast}`, 'bs=4k'], { stdio: 'ignore' });
        } catch {
          // It ends when nothing more fits.
        }
        const { code, err } = await own.run(own.waiters('none', 2, '--wait-for-running'));
        expect([69, 74]).toContain(code);
        expect(err).toMatch(/full|no space/i);
        expect(inits.every((init) => isAlive(init))).toBe(true);
        await own.list();
        process.kill(inits[0]!.pid, 'SIGTERM');
        await soon('the end of one on the full disk', () => !isAlive(inits[0]!));
        rmSync(ballast);
        await own.reaches('runs', 'its end is known', ([first]) => first?.state === 'terminated');
        const again = own.waiters('again', 1);
        await soon('a launch that is taken again', async () => (await own.run(again)).code === 0);
        await own.begun('again', 1);
        expect(readFileSync(join(own.dataDir, 'spawn.db')).subarray(0, 15).toString()).toBe('SQLite format 3');
      } finally {
        rmSync(ballast, { force: true });
        await own.closeOn(() => execFileSync('umount', [own.dataDir]));
      }
    },
  );
});
