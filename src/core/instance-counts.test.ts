import { describe, expect, it } from 'vitest';
import { countsText } from './instance-counts.ts';

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
