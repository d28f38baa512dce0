import { describe, expect, test } from 'vitest';
import { aJob, runCli } from '../../../test/support/cli-world.ts';
import { aMember, anInstance, anInstanceId, having } from '../../../test/support/instance-views.ts';
import { until } from '../../../test/support/until.ts';
import type { InstancesQueryInput, InstanceVerb } from '../../api/instance.ts';
import { SpawnError } from '../../core/errors.ts';

type Member = ReturnType<typeof aMember>;

const answering = (answer: string) => ({
  stdin: 'terminal' as const,
  tty: true,
  world: { ask: async () => answer },
});

describe('stop', () => {
  const three = Array.from({ length: 3 }, (_, index) => anInstance(index));

  test('through a pipe: a line a member, and the count on standard error', async () => {
    const members = [
      aMember(0),
      aMember(1, { changed: false }),
      aMember(2, { state: 'stopping', acknowledged: false }),
    ];
    const before = [three[0]!, anInstance(1, { state: 'stopped' }), three[2]!];
    const ran = await runCli(['stop', '--job-array-name', 'compute'], { client: having(before, members) });
    expect(ran.out).toBe(
      'compute-0\ti-00000000000000000\trunning\tstopped\tdone\t\t7200\t7200\n' +
        'compute-1\ti-00000000000000001\tstopped\tstopped\tunchanged\t\t7200\t7200\n' +
        'compute-2\ti-00000000000000002\trunning\tstopping\twaiting\t\t7200\t7200\n',
    );
    expect(ran.err).toBe(
      'spawn: stop: 1 instance stopped, 1 stopping, 1 with nothing to do, 1 has not acknowledged it yet\n',
    );
    expect(ran.code).toBe(75);
    expect(ran.calls).toEqual([
      ['instances', { arrayName: 'compute', limit: 1_000 }],
      ['instanceVerb', 'stop', { target: { arrayName: 'compute' } }],
    ]);
  });

  test('on a terminal: aligned, with what was and what is', async () => {
    const members = [aMember(0), aMember(1, { changed: false })];
    const before = [anInstance(0), anInstance(1, { state: 'stopped' })];
    const ran = await runCli(['stop', '-y', '--job-array-name', 'compute'], {
      client: having(before, members),
      tty: true,
      stdin: 'terminal',
    });
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toBe(
      'NAME       ID                   STATE              NOTE\n' +
        'compute-0  i-00000000000000000  running → stopped\n' +
        'compute-1  i-00000000000000001  stopped            nothing to do\n' +
        '1 instance stopped, 1 with nothing to do\n',
    );
  });

  test('asks before it stops an array on a terminal, and does nothing without a yes', async () => {
    for (const answer of ['', 'n', 'no', 'yess']) {
      const asked: string[] = [];
      const ask = async (question: string) => {
        asked.push(question);
        return answer;
      };
      const ran = await runCli(['stop', '--tag', 'team=physics'], {
        client: having(three, []),
        stdin: 'terminal',
        world: { ask },
      });
      expect(asked).toEqual(['Stop 3 instances, 3 running? What runs there ends. [y/N] ']);
      expect(ran).toMatchObject({ code: 1, out: '', err: 'spawn: stop: nothing was changed\n' });
      expect(ran.calls.map(([name]) => name)).toEqual(['instances']);
    }
    for (const answer of ['y', 'YES', ' yes ']) {
      const ran = await runCli(['stop', '--tag', 'team=physics'], {
        client: having(
          three,
          three.map((_, index) => aMember(index)),
        ),
        ...answering(answer),
      });
      expect(ran.code).toBe(0);
    }
  });

  test('asks nothing for a single instance, nor where all are terminated', async () => {
    const one = await runCli(['stop', 'compute-0'], {
      client: having([anInstance(0)], [aMember(0)]),
      stdin: 'terminal',
    });
    expect(one).toMatchObject({ code: 0, err: 'spawn: stop: 1 instance stopped\n' });
    const gone = [anInstance(0, { state: 'terminated' }), anInstance(1, { state: 'terminated' })];
    const note = { state: 'terminated', changed: false, note: 'it is terminated' } as const;
    const members = [aMember(0, note), aMember(1, note)];
    const ran = await runCli(['stop', '--job-array-name', 'compute'], {
      client: having(gone, members),
      stdin: 'terminal',
    });
    expect(ran).toMatchObject({ code: 1, err: 'spawn: stop: no instance stopped, 2 not possible\n' });
    expect(ran.out).toContain('\tterminated\tterminated\trefused\tit is terminated\t');
  });

  test('machines that were gone before are not told of, beside others', async () => {
    const before = [anInstance(0, { state: 'terminated' }), anInstance(0, { id: anInstanceId(9), generation: 2 })];
    const members = [
      aMember(0, { state: 'terminated', changed: false }),
      aMember(0, { id: anInstanceId(9), state: 'stopped' }),
    ];
    const ran = await runCli(['stop', 'compute-0'], { client: having(before, members) });
    expect(ran.out).toBe('compute-0\ti-00000000000000009\trunning\tstopped\tdone\t\t7200\t7200\n');
    expect(ran).toMatchObject({ code: 0, err: 'spawn: stop: 1 instance stopped, 1 terminated before\n' });
  });
});

describe('nothing fits', () => {
  const none = { instances: async () => ({ instances: [] }) };

  test('66, and what was asked for', async () => {
    expect(await runCli(['stop', '--job-array-name', 'nope', '--tag', 'a=b'], { client: none })).toMatchObject({
      code: 66,
      out: '',
      err: 'spawn: no instance fits --job-array-name nope --tag a=b\n',
    });
  });

  test('the same when the coordinator says so itself', async () => {
    const instances = async () => {
      throw new SpawnError('INSTANCE_NOT_FOUND', { ref: 'x' });
    };
    const unknown = async () => {
      throw new SpawnError('JOB_NOT_FOUND', { ref: 'nope' });
    };
    const ended = async () => aJob({ instances: true, endedAt: 9 });
    for (const job of [unknown, ended, async () => aJob()]) {
      const ran = await runCli(['stop', '--job-array-name', 'nope'], { client: { instances, job } });
      expect(ran).toMatchObject({ code: 66, err: 'spawn: no instance fits --job-array-name nope\n' });
    }
  });

  test('an array that waits for something is called off otherwise', async () => {
    const job = async () => aJob({ instances: true, state: 'blocked' });
    expect(
      (await runCli(['terminate', '-y', '--job-array-id', 'c-20260113-abc123'], { client: { ...none, job } })).err,
    ).toBe(
      'spawn: no instance fits --job-array-id c-20260113-abc123: job 12 is blocked and has none yet; spawn cancel 12 calls it off\n',
    );
  });

  test('the name of an array is no name of an instance, and that is said', async () => {
    const instances = async ({ arrayName }: InstancesQueryInput) => ({
      instances: arrayName === 'compute' ? [anInstance(0)] : [],
    });
    expect(await runCli(['hibernate', 'compute'], { client: { instances } })).toMatchObject({
      code: 66,
      err: 'spawn: instance "compute" not found: it is an array, all of it is --job-array-name compute\n',
    });
  });

  test('the id of an array stands for its instances', async () => {
    const id = 'compute-20260113-abc123';
    const client = having([anInstance(0)], [aMember(0, { state: 'hibernated' })]);
    const { calls, code } = await runCli(['hibernate', id], { client });
    expect(code).toBe(0);
    expect(calls).toEqual([
      ['instances', { arrayId: id, limit: 1_000 }],
      ['instanceVerb', 'hibernate', { target: { arrayId: id } }],
    ]);
  });
});

test.each<[InstanceVerb, string[], string]>([
  ['terminate', ['shutting-down', 'shutting-down'], '2 instances shutting-down'],
  ['terminate', ['terminated', 'shutting-down'], '1 instance terminated, 1 shutting-down'],
  ['start', ['pending', 'running', 'pending'], '1 instance started, 2 pending'],
  ['hibernate', ['hibernated'], '1 instance hibernated'],
])('%s that comes to %j is told as %s', async (verb, states, text) => {
  const members = states.map((state, index) => aMember(index, { state: state as Member['state'] }));
  const before = states.map((_, index) => anInstance(index, { state: 'stopping' }));
  const yes = verb === 'terminate' ? ['-y'] : [];
  const { err, code } = await runCli([verb, ...yes, '--tag', 'a=b'], { client: having(before, members) });
  expect([err, code]).toEqual([`spawn: ${verb}: ${text}\n`, 0]);
});

test('a state that is reached needs no acknowledgement', async () => {
  const client = having([anInstance(0)], [aMember(0, { state: 'hibernated', acknowledged: false })]);
  expect((await runCli(['hibernate', 'compute-0'], { client })).code).toBe(0);
});

test('-o json: one flat array of what became of each', async () => {
  const client = having([anInstance(0)], [aMember(0), aMember(5, { state: 'running', changed: false, note: 'why' })]);
  const ran = await runCli(['stop', '--job-array-name', 'compute', '-o', 'json'], { client });
  expect(ran).toMatchObject({ code: 1, err: '' });
  expect(JSON.parse(ran.out)).toEqual([
    {
      instance_id: 'i-00000000000000000',
      name: 'compute-0',
      state_before: 'running',
      state: 'stopped',
      result: 'done',
      changed: true,
      acknowledged: true,
      note: null,
      ttl_remaining_seconds_before: 7_200,
      ttl_remaining_seconds: 7_200,
    },
    {
      instance_id: 'i-00000000000000005',
      name: 'compute-5',
      state_before: null,
      state: 'running',
      result: 'refused',
      changed: false,
      acknowledged: true,
      note: 'why',
      ttl_remaining_seconds_before: null,
      ttl_remaining_seconds: 7_200,
    },
  ]);
});

test('what the coordinator refuses keeps its words and its exit code', async () => {
  const instanceVerb = async () => {
    throw new SpawnError('NOT_PERMITTED', { action: 'start', why: 'role read' });
  };
  const ran = await runCli(['start', 'compute-0'], {
    client: { instances: async () => ({ instances: [anInstance(0)] }), instanceVerb },
  });
  expect(ran).toMatchObject({ code: 77, out: '', err: 'spawn: not permitted: start (role read)\n' });
});

test('many on a terminal: how far it is, on a line that goes away', async () => {
  const many = Array.from({ length: 20 }, (_, index) => anInstance(index));
  const half = many.map((each, index) => (index < 5 ? { ...each, state: 'terminated' as const } : each));
  let tick = (): void => {};
  let asked = 0;
  let written = '';
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  const running = runCli(['terminate', '-y', '--job-array-name', 'compute'], {
    tty: true,
    client: {
      instances: async () => ({ instances: asked++ === 0 ? many : half }),
      instanceVerb: async () => {
        await answered;
        return { members: many.map((_, index) => aMember(index, { state: 'terminated' })) };
      },
    },
    world: {
      every: (_, call) => {
        tick = call;
        return () => {
          tick = () => {};
        };
      },
      stderr: {
        isTTY: true,
        columns: 100,
        rows: 24,
        colour: false,
        write: (data) => {
          written += data;
        },
      },
    },
  });
  await until('two looks at it', () => {
    tick();
    return asked > 2;
  });
  answer();
  const ran = await running;
  expect(written).toContain('\r\x1b[Kterminate: 20 instances (0ms)');
  expect(written).toContain('\r\x1b[Kterminate: 20 instances, 15 running, 5 terminated (0ms)');
  expect(written.endsWith('\r\x1b[K')).toBe(true);
  expect(ran.code).toBe(0);
  expect(ran.out).toMatch(/20 instances terminated\n$/);
});
