import { beforeAll, describe, expect, test } from 'vitest';
import { aDelta, aJob, aTask, deltas, someCounts } from '../../../test/support/cli-world.ts';
import { array, ID, launch, launchFolder, member, members, NAME } from '../../../test/support/launch-run.ts';
import type { InstanceView } from '../../api/instance.ts';

let folder: string;
beforeAll(() => {
  const made = launchFolder();
  folder = made.path;
  return made.remove;
});

describe('coming up', () => {
  const failed = (index: number): Partial<InstanceView> =>
    index === 2 ? { state: 'terminated', reason: 'launch-failed', message: 'no room left' } : {};

  test('on a terminal it is waited for, with a line that goes away', async () => {
    const { err, calls } = await launch(array, { tty: true });
    expect(err).toContain('launching compute  ────────────────────  0/8 running');
    expect(err.endsWith('\r\x1b[K')).toBe(true);
    expect(calls.map(([name]) => name)).toEqual(['submit', 'watch', 'instances']);
  });

  test('in a pipe with --wait-for-running only, in lines', async () => {
    expect((await launch(array)).calls.map(([name]) => name)).toEqual(['submit', 'instances']);
    const { err, calls } = await launch([...array, '--wait-for-running']);
    expect(calls.map(([name]) => name)).toContain('watch');
    expect(err).toBe('launching compute  0/8 running\n');
  });

  test('not when the start is put off', async () => {
    const job = aJob({ name: NAME, arrayId: ID, size: 8, state: 'held', held: true });
    const submit = async () => ({ job, replayed: false, dryRun: false });
    const { calls } = await launch([...array, '--hold'], { tty: true, client: { submit } });
    expect(calls.map(([name]) => name)).not.toContain('watch');
  });

  test('an instance that is pending a moment after its task began is looked at again', async () => {
    const answers = [members(8, (index) => (index === 5 ? { state: 'pending' } : {})), members(8)];
    const instances = async () => ({ instances: answers.shift() ?? [] });
    const { out } = await launch(array, { tty: true, client: { instances } });
    expect(out).not.toContain('pending');
  });

  test('in a pipe the ids are waited for a moment, with --detach they are not', async () => {
    const late = () => {
      const answers = [members(3), members(8)];
      return { instances: async () => ({ instances: answers.shift() ?? [] }) };
    };
    expect((await launch(array, { client: late() })).out).not.toContain('pending');
    expect((await launch([...array, '--detach'], { client: late() })).out).toContain('compute-7 → - (pending)');
  });

  test('cleanup: the launch has failed, and it says what was done', async () => {
    const instances = members(8, (index) =>
      index === 2 ? failed(2) : { state: 'terminated', reason: 'array-failed' },
    );
    const { code, err, out } = await launch([...array, '--wait-for-running'], { instances });
    expect(code).toBe(69);
    expect(err.split('\n').at(-2)).toBe(
      'spawn: launch failed: compute: 1 of 8 instances could not be started: compute-2 (no room left); 7 others terminated with it',
    );
    expect(out).toContain('compute-2 → i-00000000000000002 (terminated: launch-failed, no room left)');
  });

  test('ended because a task failed: the launch itself was a success, and the task tells the exit code', async () => {
    const instances = members(8, () => ({ state: 'terminated', reason: 'array-failed' }));
    expect((await launch([...array, '--fail-all-on-one', '--wait-for-running'], { instances })).code).toBe(0);
  });

  test('keep: it has failed, and the others are left', async () => {
    const { code, err } = await launch([...array, '--on-failure', 'keep', '--wait-for-running'], {
      instances: members(8, failed),
    });
    expect(code).toBe(69);
    expect(err).toContain('compute-2 (no room left); the others were left as they are (--on-failure keep)\n');
  });

  test('what is cancelled before it has a machine: the launch has failed, and why', async () => {
    const tasks = async () => ({
      tasks: [aTask(0, { state: 'cancelled', reason: 'its instance ended: cost limit reached' })],
    });
    const { code, err, out } = await launch([...array, '--cost-limit', '0.001'], { instances: [], client: { tasks } });
    expect(code).toBe(69);
    expect(err.split('\n').at(-2)).toBe(
      'spawn: launch failed: compute: 8 of 8 instances could not be started: cost limit reached',
    );
    expect(out).toContain('  compute-7 → - (not started: cost limit reached)\n');
    const enough = await launch([...array, '--min-viable', '1'], { instances: members(1), client: { tasks } });
    expect(enough.code).toBe(0);
    const one = async () => ({ tasks: [aTask(3, { state: 'cancelled' })] });
    const some = await launch([...array, '--min-viable', '1'], { instances: members(1), client: { tasks: one } });
    expect(some.err).toContain('spawn: note: compute: 7 of 8 instances could not be started: cancelled\n');
  });

  test('enough run: a success with a note', async () => {
    const { code, err } = await launch([...array, '--min-viable', '7', '--wait-for-running'], {
      instances: members(8, failed),
    });
    expect(code).toBe(0);
    expect(err).toContain(
      'spawn: note: compute: 1 of 8 instances could not be started: compute-2 (no room left); enough run (--min-viable 7)\n',
    );
  });

  test('Ctrl-C says that the array goes on, and how to end it', async () => {
    let interrupt: (code: number) => void = () => {};
    const onInterrupt = (listener: (code: number) => void) => {
      interrupt = listener;
      return () => {};
    };
    const watch = async function* () {
      yield aDelta(aJob());
      interrupt(130);
    };
    const { code, err, out } = await launch(array, {
      tty: true,
      world: { onInterrupt, cwd: folder },
      client: { watch },
    });
    expect({ code, out }).toEqual({ code: 130, out: '' });
    expect(err).toContain(
      `spawn: array compute goes on; spawn watch 12 shows it, spawn terminate --job-array-id ${ID} ends it\n`,
    );
  });

  test('--wait gives the highest exit code of the tasks', async () => {
    const ended = aJob({
      name: NAME,
      arrayId: ID,
      size: 8,
      state: 'failed',
      counts: someCounts({ completed: 7, failed: 1 }),
      endedAt: 9,
      exitCode: 124,
    });
    const client = { watch: deltas(aDelta(ended)), job: async () => ended, tasks: async () => ({ tasks: [] }) };
    expect((await launch([...array, '--wait'], { client })).code).toBe(124);
    const { out } = await launch([...array, '--wait', '-o', 'json'], { client });
    expect(JSON.parse(out)).toHaveLength(8);
    // What goes on, and costs, is told to who thinks that all is over.
    const note = (text: string) => text.split('\n').filter((line) => line.includes(' on: spawn terminate'));
    expect(note((await launch([...array, '--wait'], { client })).err)).toEqual([
      `spawn: note: 8 instances run on: spawn terminate --job-array-id ${ID} ends that; --on-complete terminate does so by itself`,
    ]);
    const box = ['box', '--ttl', '1h', '--command', 'true', '--wait'];
    const one = { size: 1, instances: [member(0, { name: 'box', standalone: true })], client };
    expect(note((await launch(box, one)).err)[0]).toMatch(/^spawn: note: 1 instance runs on: spawn terminate box ends/);
    for (const words of [['--quiet'], ['--on-complete', 'stop']])
      expect(note((await launch([...array, '--wait', ...words], { client })).err)).toEqual([]);
  });
});

describe('more than 100 instances, where somebody can answer', () => {
  const many = ['--count', '101', '--name', NAME, '--ttl', '1h'];
  const asked = (answer: string) => ({
    size: 101,
    stdin: 'terminal' as const,
    world: { cwd: folder, env: { HOME: folder, SPAWN_SERVER: 'x' }, ask: async () => answer },
  });

  test('are asked about', async () => {
    const no = await launch(many, asked(''));
    expect(no).toMatchObject({ code: 1, err: 'spawn: launch: nothing was changed\n', calls: [] });
    expect((await launch(many, asked('y'))).code).toBe(0);
  });

  test('not with -y, and not in a script', async () => {
    expect((await launch([...many, '-y'], asked(''))).code).toBe(0);
    expect((await launch(many, { size: 101 })).code).toBe(0);
  });
});
