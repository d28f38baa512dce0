import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareInstances, countsText, groupInstances, type ListedInstance } from './instance-order.ts';

const instance = (jobId: number, index: number, facts: Partial<ListedInstance> = {}): ListedInstance => ({
  id: `i-${jobId}-${index}-${facts.generation ?? 1}`,
  jobId,
  arrayId: `a${jobId}-20260113-abc123`,
  arrayName: `a${jobId}`,
  index,
  generation: 1,
  standalone: false,
  state: 'running',
  ...facts,
});

describe('the list of instances', () => {
  it('is by array, index and generation, whatever the order was', () => {
    const ordered = [
      instance(1, 0),
      instance(1, 2),
      instance(1, 2, { generation: 2 }),
      instance(1, 10),
      instance(2, 0),
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(ordered, { minLength: ordered.length }), (shuffled) => {
        expect([...shuffled].sort(compareInstances)).toEqual(ordered);
      }),
    );
  });

  it('has arrays apart from those that are none', () => {
    const alone = instance(2, 0, { standalone: true });
    const { arrays, standalone } = groupInstances([instance(3, 0), alone, instance(1, 1), instance(1, 0)]);
    expect(standalone).toEqual([alone]);
    expect(
      arrays.map(({ arrayName, arrayId, jobId, instances }) => [arrayName, arrayId, jobId, instances.length]),
    ).toEqual([
      ['a1', 'a1-20260113-abc123', 1, 2],
      ['a3', 'a3-20260113-abc123', 3, 1],
    ]);
    expect(arrays[0]!.instances.map(({ index }) => index)).toEqual([0, 1]);
  });
});

describe('the counts of a group', () => {
  const of = (...states: string[]) => countsText(states.map((state) => ({ state })));

  it('leave zeros out', () => {
    expect(of(...Array<string>(7).fill('running'), 'pending')).toBe('8 instances, 7 running, 1 pending');
    expect(of('running')).toBe('1 instance, 1 running');
    expect(of()).toBe('0 instances');
  });

  it('are in one order', () => {
    expect(of('terminated', 'shutting-down', 'hibernated', 'stopped', 'stopping', 'pending', 'running')).toBe(
      '7 instances, 1 running, 1 pending, 1 stopping, 1 stopped, 1 hibernated, 1 shutting-down, 1 terminated',
    );
  });
});
