import { expect, it } from 'vitest';
import { allTags, type TaggedInstance } from './instance-tags.ts';

const own: TaggedInstance = {
  arrayId: 'compute-20260113-abc123',
  arrayName: 'compute',
  arraySize: 8,
  index: 10,
  rank: 5,
  standalone: false,
  createdAt: Date.UTC(2026, 0, 13, 10),
  jobId: 12,
  onComplete: 'none',
  spot: false,
  store: 's1',
  account: '1kpqzg2c',
};

it('tags a member with its array, after the tags of the user', () => {
  expect(allTags({ ...own, ttl: '4h', idleTimeout: '15m' }, { team: 'ml' })).toEqual({
    team: 'ml',
    'spawn:managed': 'true',
    'spawn:job': '12',
    'spawn:store': 's1',
    'spawn:account-base36': '1kpqzg2c',
    'spawn:job-array-id': 'compute-20260113-abc123',
    'spawn:job-array-name': 'compute',
    'spawn:job-array-size': '8',
    'spawn:job-array-index': '10',
    'spawn:job-array-rank': '5',
    'spawn:job-array-created': '2026-01-13T10:00:00.000Z',
    'spawn:ttl': '4h',
    'spawn:idle-timeout': '15m',
    'spawn:on-complete': 'none',
    'spawn:spot': 'false',
  });
});

it('tags an instance that is no array with none of it, and leaves out what it has not', () => {
  const tags = allTags({ ...own, standalone: true }, {});
  expect(Object.keys(tags).filter((key) => key.includes('array'))).toEqual([]);
  expect(tags).toMatchObject({ 'spawn:created': '2026-01-13T10:00:00.000Z' });
  expect(tags).not.toHaveProperty('spawn:ttl');
});
