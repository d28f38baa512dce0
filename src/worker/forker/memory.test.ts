import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { gone, KILLED, processLives, readPid } from '../../../test/support/forker-under-test.ts';
import { memoryForkers, startAsNobody } from '../../../test/support/memory-forkers.ts';
import { requireOr } from '../../../test/support/require.ts';
import { until } from '../../../test/support/until.ts';

const MIB = 1024 * 1024;

/** Takes so much memory, writes every page, and goes on. */
const hold = (mib: number, then = 'import time; time.sleep(1000)') =>
  `python3 -c 'x = bytearray(${mib} << 20); ${then}'`;

describe.each(await memoryForkers())('$kind forker, memory $memory: limits', ({ kind, memory, start }) => {
  test('says how it keeps them', async () => {
    await using forker = await start();
    expect(forker.forker.capabilities).toMatchObject({ memory, affinity: kind === 'native' });
  });

  test('a task beyond its limit is ended for its memory, one below it is not', async () => {
    await using forker = await start();
    const below = forker.run({ script: hold(80, 'print(len(x))'), memoryBytes: 120 * MIB });
    const beyond = forker.run({ script: `${hold(200)}; sleep 1000`, memoryBytes: 120 * MIB });
    const without = forker.run({ script: hold(200, 'print(len(x))') });
    // The kernel may kill the program alone; its shell goes with it.
    expect(await forker.ended(beyond)).toMatchObject({ end: KILLED, cause: 'memory' });
    for (const fence of [below, without]) {
      expect(await forker.ended(fence)).toMatchObject({ end: { kind: 'exited', code: 0 }, cause: 'none' });
    }
  });

  test('one that stays at 80 % of its limit for many looks goes on', async () => {
    await using forker = await start();
    const script = hold(64, 'import time; time.sleep(1.2); print("done")');
    const { ended, log } = await forker.complete(script, { memoryBytes: 90 * MIB });
    expect(ended).toMatchObject({ end: { kind: 'exited', code: 0 }, cause: 'none' });
    expect(log.stdout.toString()).toBe('done\n');
  });

  test('many small processes are counted together', async () => {
    await using forker = await start();
    const small = join(forker.logDir, 'small.py');
    const script = `i=0; while [ $i -lt 12 ]; do ${hold(12)} & i=$((i+1)); [ $i = 1 ] && echo $! > ${small}; done; wait; echo survived`;
    const ended = await forker.ended(forker.run({ script, memoryBytes: 100 * MIB }));
    expect(ended.cause).toBe('memory');
    expect(forker.log(ended).stdout.toString()).toBe('');
    await gone(await readPid(small));
  });

  test('a child in a session of its own, and one whose parent is gone, are counted too', async () => {
    await using forker = await start();
    const pid = join(forker.logDir, 'pid');
    const child = forker.run({ script: `setsid -w ${hold(150)}`, memoryBytes: 100 * MIB });
    const orphan = forker.run({
      script: `(setsid sh -c 'echo $$ > ${pid}; exec "$@"' sh ${hold(150)} &); sleep 1000`,
      memoryBytes: 100 * MIB,
    });
    expect((await forker.ended(child)).cause).toBe('memory');
    expect((await forker.ended(orphan)).cause).toBe('memory');
    await gone(await readPid(pid));
  });

  test('memory that forked processes share is counted once', async () => {
    await using forker = await start();
    const workers =
      'import os, time; [os.fork() or (time.sleep(0.8), os._exit(0)) for i in range(6)]; [os.wait() for i in range(6)]; print("done")';
    const { ended, log } = await forker.complete(hold(60, workers), { memoryBytes: 160 * MIB });
    expect(ended).toMatchObject({ end: { kind: 'exited', code: 0 }, cause: 'none' });
    expect(log.stdout.toString()).toBe('done\n');
  });

  test('each task has its own limit, also beside each other', async () => {
    await using forker = await start();
    const gate = join(forker.logDir, 'gate');
    const wait = `import os, time; [time.sleep(0.02) for i in iter(lambda: os.path.exists("${gate}"), True)]`;
    const below = [40, 120].map((mib) => forker.run({ script: hold(mib, wait), memoryBytes: (mib + 40) * MIB }));
    const beyond = forker.run({ script: hold(80), memoryBytes: 60 * MIB });
    expect((await forker.ended(beyond)).cause).toBe('memory');
    await forker.complete(`touch ${gate}`);
    const ends = await Promise.all(below.map((fence) => forker.ended(fence)));
    expect(ends.map(({ end, cause }) => ({ end, cause }))).toEqual(
      below.map(() => ({ end: { kind: 'exited', code: 0 }, cause: 'none' })),
    );
  });

  test('files that were read do not count', async () => {
    await using forker = await start();
    const file = join(forker.logDir, 'large');
    await forker.complete(`head -c ${150 * MIB} /dev/zero > ${file}`);
    const map = `python3 -c 'import mmap; f = open("${file}", "rb"); m = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ); print(sum(m[i] for i in range(0, len(m), 4096))); import time; time.sleep(0.4)'`;
    const { ended, log } = await forker.complete(`cat ${file} > /dev/null; ${map}`, { memoryBytes: 60 * MIB });
    expect({ cause: ended.cause, out: log.stdout.toString() }).toEqual({ cause: 'none', out: '0\n' });
  });

  test('a cancelled task keeps its cause, and its processes go', async () => {
    await using forker = await start();
    const pid = join(forker.logDir, 'pid');
    const fence = forker.run({ script: `echo $$ > ${pid}; sleep 1000`, memoryBytes: 100 * MIB });
    const main = await readPid(pid);
    forker.forker.kill(fence, 'cancel', 0);
    expect((await forker.ended(fence)).cause).toBe('cancel');
    await gone(main);
  });

  if (memory !== 'cgroup') return;

  const ownGroup = () => {
    const path = /^\d+:memory:(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
    return path === undefined ? null : `/sys/fs/cgroup/memory${path}`;
  };
  const groupsOf = (pid: number) => {
    const own = ownGroup();
    return own === null ? [] : readdirSync(own).filter((name) => name.startsWith(`spawn-tasks-${pid}-`));
  };

  test('its groups go with the tasks, and after its own death with the next forker', async () => {
    const first = await start();
    const { pid } = first.forker;
    const small = join(first.logDir, 'pid');
    // Neither its group of processes nor its marks tell whose it is: the cgroup does.
    const script = `(env -i setsid sh -c 'echo $$ > ${small}; sleep 1000' &) ; until [ -s ${small} ]; do sleep 0.02; done`;
    await first.complete(script, { memoryBytes: 100 * MIB });
    await gone(await readPid(small));
    const { pid: task } = await first.started(first.run({ script: 'sleep 1000', memoryBytes: 100 * MIB }));
    if (ownGroup() !== null) expect(groupsOf(pid)).toHaveLength(1);
    process.kill(pid, 'SIGKILL');
    await first.exit;
    await gone(task);
    expect(processLives(pid)).toBe(false);
    await using _second = await start();
    await until('the removal of the groups', () => groupsOf(pid).length === 0);
    await first[Symbol.asyncDispose]();
  });
});

requireOr('root', process.getuid?.() === 0)(
  'an ordinary user without a cgroup of its own is looked after too',
  async () => {
    const forker = await startAsNobody();
    expect(forker.forker.capabilities.memory).toBe('sampled');
    const beyond = forker.run({ script: hold(150), memoryBytes: 100 * MIB });
    const below = forker.run({ script: hold(40, 'print(len(x))'), memoryBytes: 100 * MIB });
    expect((await forker.ended(beyond)).cause).toBe('memory');
    expect(await forker.ended(below)).toMatchObject({ end: { kind: 'exited', code: 0 }, cause: 'none' });
    await forker[Symbol.asyncDispose]();
    rmSync(forker.logDir, { recursive: true });
  },
);
