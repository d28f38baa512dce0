import { describe, expect, test } from 'vitest';
import { aJob, runCli } from '../../../test/support/cli-world.ts';
import { aMember, anInstance, anInstanceId } from '../../../test/support/instance-views.ts';
import type { InstancesQueryInput, InstanceVerb, InstanceVerbRequest, InstanceView } from '../../api/instance.ts';

const job = aJob({ id: 12, name: 'compute', arrayId: 'compute-20260113-abc123', size: 8, instances: true });
const three = [0, 1, 2].map((index) => anInstance(index, { arraySize: 3 }));
const coordinator = (members: ReturnType<typeof aMember>[], instances: readonly InstanceView[] = three) => ({
  job: async () => job,
  instances: async () => ({ instances }),
  resize: async () => ({ members }),
});

describe('resize', () => {
  const larger = coordinator([aMember(0, { state: 'running', changed: false }), aMember(3, { state: 'pending' })]);

  test('larger: asks nothing, and tells of what is new', async () => {
    const ran = await runCli(['resize', 'compute', '--count', '4'], { client: larger });
    expect(ran).toMatchObject({
      code: 0,
      out: 'compute-3\ti-00000000000000003\t\tpending\tdone\t\t\t7200\n',
      err: 'spawn: resize: compute had 3 members and has 4: 1 instance pending\n',
    });
    expect(ran.calls.map(([name, ...args]) => [name, args[0], args[1]])).toEqual([
      ['job', 'compute', undefined],
      ['instances', { arrayId: 'compute-20260113-abc123', limit: 1_000 }, undefined],
      ['resize', '12', 4],
    ]);
  });

  test('smaller: asks for those that go, and needs -y where nobody can be asked', async () => {
    const members = [aMember(1, { state: 'terminated' }), aMember(2, { state: 'terminated' })];
    const client = coordinator(members);
    const asked: string[] = [];
    const ask = async (question: string) => {
      asked.push(question);
      return '';
    };
    const ran = await runCli(['resize', 'compute', '--count', '1'], { client, stdin: 'terminal', world: { ask } });
    expect(asked).toEqual([
      'Make compute smaller by 2 instances, 2 running? What runs there and its disk go for ever. [y/N] ',
    ]);
    expect(ran).toMatchObject({ code: 1, err: 'spawn: resize: nothing was changed\n' });
    expect(ran.calls.map(([name]) => name)).not.toContain('resize');
    expect(await runCli(['resize', 'compute', '--count', '1'], { client })).toMatchObject({
      code: 2,
      err: 'spawn: resize: expected -y where nobody can be asked (standard input is no terminal), found none\n',
    });
    expect(await runCli(['resize', '-y', 'compute', '--count', '1'], { client })).toMatchObject({
      code: 0,
      err: 'spawn: resize: compute had 3 members and has 1: 2 instances terminated\n',
    });
  });

  test('as large as it is: nothing is asked, nothing is done', async () => {
    const client = coordinator([aMember(0, { state: 'running', changed: false })]);
    expect(await runCli(['resize', 'compute', '--count', '3'], { client })).toMatchObject({
      code: 0,
      out: '',
      err: 'spawn: resize: compute has 3 members\n',
    });
  });

  test.each<[string[], InstancesQueryInput]>([
    [['--job-array-name', 'compute'], { arrayName: 'compute' }],
    [['--job-array-id', 'compute-20260113-abc123'], { arrayId: 'compute-20260113-abc123' }],
    [['--tag', 'team=physics'], { tag: ['team=physics'] }],
  ])('%j finds the array of %j', async (words, query) => {
    const { calls } = await runCli(['resize', ...words, '--count', '4'], { client: larger });
    expect(calls.slice(0, 2)).toEqual([
      ['instances', { ...query, limit: 1_000 }],
      ['job', '12'],
    ]);
  });

  test('filters that fit several arrays are refused; one that has ended does not count', async () => {
    const other = { jobId: 9, arrayId: 'compute-20260101-000001' };
    const both = coordinator([], [anInstance(0), anInstance(0, other)]);
    expect(await runCli(['resize', '--tag', 'a=b', '--count', '4'], { client: both })).toMatchObject({
      code: 2,
      err: 'spawn: resize: expected one array, found compute-20260113-abc123, compute-20260101-000001; see: spawn help resize\n',
    });
    const ended = coordinator([], [anInstance(0), anInstance(0, { ...other, state: 'terminated' })]);
    expect((await runCli(['resize', '--tag', 'a=b', '--count', '4'], { client: ended })).code).toBe(0);
  });
});

describe('replace', () => {
  const fresh = (index: number) => aMember(index, { id: anInstanceId(100 + index), state: 'pending' });
  const client = {
    ...coordinator([]),
    instances: async ({ instance, tag }: InstancesQueryInput) => {
      const index = Number((instance ?? String(tag)).match(/\d+$/)![0]);
      return { instances: index < 3 ? [three[index]] : [] };
    },
    instanceVerb: async (_: InstanceVerb, { target }: InstanceVerbRequest) => ({
      members: [fresh(Number((target.instance ?? String(target.tag)).match(/\d+$/)![0]))],
    }),
  };

  test('members of an array by index', async () => {
    const ran = await runCli(['replace', '-y', 'compute', '--index', '0,2'], { client });
    expect(ran.calls.filter(([name]) => name === 'instanceVerb')).toEqual([
      ['instanceVerb', 'replace', { target: { arrayId: 'compute-20260113-abc123', tag: ['array:index=0'] } }],
      ['instanceVerb', 'replace', { target: { arrayId: 'compute-20260113-abc123', tag: ['array:index=2'] } }],
    ]);
    expect(ran).toMatchObject({
      code: 0,
      out:
        'compute-0\ti-00000000000000064\t\tpending\tdone\t\t\t7200\n' +
        'compute-2\ti-00000000000000066\t\tpending\tdone\t\t\t7200\n',
      err: 'spawn: replace: 2 instances replaced\n',
    });
  });

  test('an instance by name', async () => {
    const ran = await runCli(['replace', '-y', 'compute-1', '--timeout', '0'], { client });
    expect(ran.calls.at(-1)).toEqual(['instanceVerb', 'replace', { target: { instance: 'compute-1' }, waitMs: 0 }]);
  });

  test('an index that is not there', async () => {
    expect(await runCli(['replace', '-y', 'compute', '--index', '7'], { client })).toMatchObject({
      code: 66,
      err: 'spawn: no instance fits --job-array-id compute-20260113-abc123 --tag array:index=7\n',
    });
  });

  test('asks, and needs -y where nobody can be asked', async () => {
    const asked: string[] = [];
    const ask = async (question: string) => {
      asked.push(question);
      return 'n';
    };
    const ran = await runCli(['replace', 'compute', '--index', '1'], { client, stdin: 'terminal', world: { ask } });
    expect(asked).toEqual([
      'Replace compute-1 (i-00000000000000001, running)? What runs there and its disk go for ever. [y/N] ',
    ]);
    expect(ran.code).toBe(1);
    expect(await runCli(['replace', 'compute-1'], { client })).toMatchObject({ code: 2, calls: [] });
  });
});
