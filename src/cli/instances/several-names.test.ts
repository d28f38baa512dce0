import { describe, expect, test } from 'vitest';
import { runCli } from '../../../test/support/cli-world.ts';
import { aMember, anInstance, anInstanceId } from '../../../test/support/instance-views.ts';
import type { InstancesQueryInput, InstanceVerb, InstanceVerbRequest } from '../../api/instance.ts';

describe('several names', () => {
  const known = new Map([0, 1].map((index) => [`compute-${index}`, anInstance(index)]));
  const client = {
    instances: async ({ instance }: InstancesQueryInput) => {
      const found = known.get(instance ?? '');
      return { instances: found === undefined ? [] : [found] };
    },
    instanceVerb: async (_: InstanceVerb, { target }: InstanceVerbRequest) => ({
      members: [aMember(Number(target.instance!.at(-1)), { state: 'running' })],
    }),
  };

  test.each([
    ['compute-0', anInstanceId(7)],
    [anInstanceId(7), 'compute-0'],
  ])('one that is named by its name and its id is changed once: %s %s', async (...names) => {
    const before = [anInstance(0, { state: 'terminated' }), anInstance(0, { id: anInstanceId(7), generation: 2 })];
    const instances = async ({ instance }: InstancesQueryInput) => ({
      instances: before.filter(({ id, name }) => instance === id || instance === name),
    });
    const ran = await runCli(['extend', ...names, '2h'], { client: { ...client, instances } });
    expect(ran.calls.filter(([name]) => name === 'instanceVerb')).toHaveLength(1);
  });

  test('each is changed, also after one that is not there; the exit code tells of that', async () => {
    const ran = await runCli(['start', 'compute-0', 'compute-9', 'compute-1', 'compute-0'], { client });
    expect(ran.out.split('\n').map((line) => line.split('\t')[0])).toEqual(['compute-0', 'compute-1', '']);
    expect(ran).toMatchObject({ code: 66 });
    expect(ran.err).toBe('spawn: instance "compute-9" not found\nspawn: start: 2 instances started\n');
    expect(ran.calls.filter(([name]) => name === 'instanceVerb')).toHaveLength(2);
  });

  test('several are asked for on a terminal', async () => {
    const asked: string[] = [];
    const ask = async (question: string) => {
      asked.push(question);
      return '';
    };
    await runCli(['stop', 'compute-0', 'compute-1'], { client, stdin: 'terminal', world: { ask } });
    expect(asked).toEqual(['Stop 2 instances, 2 running? What runs there ends. [y/N] ']);
  });
});
