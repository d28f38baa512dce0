import { expect, test } from 'vitest';
import { aJob, aTask } from '../../../test/support/cli-world.ts';
import type { QueueGroup, QueueJob } from '../../api/queue.ts';
import { readRows } from './queue-rows.ts';

const SIZE = 300_000;
const PAGE = 100_000;
const job = aJob({ size: SIZE });
const lanes = [{ priority: 0, cpus: 1, memoryBytes: 0, timeLimitMs: 0 }];

function aPart(part: Partial<QueueJob>): QueueJob {
  return { job, lanes, groups: [], tasks: [], ...part };
}

test('a job of any number of tasks that run is read, in the order of its pages', async () => {
  const parts = [0, PAGE, 2 * PAGE].map((from) =>
    aPart({ tasks: Array.from({ length: PAGE }, (_, n) => ({ ...aTask(from + n, { state: 'running' }), lane: 0 })) }),
  );
  const rows = await readRows(parts);
  expect(rows).toHaveLength(SIZE);
  expect(rows.findIndex(({ task }, at) => task?.index !== at)).toBe(-1);
});

test('a group goes on over pages, and other jobs between them do not', async () => {
  const group = (indices: string, count: number, part: Partial<QueueGroup> = {}): QueueGroup => {
    return { state: 'ready', reason: 'Priority', indices, count, lane: 0, ...part };
  };
  const other = aJob({ id: 13, size: 5 });
  const rows = await readRows([
    aPart({ groups: [group('0-4', 5), group('5', 1, { reason: 'JobHeldUser' })] }),
    aPart({ groups: [group('6-8', 3)] }),
    aPart({ groups: [group('9,11', 2), group('10', 1, { reason: 'JobHeldUser' })] }),
    aPart({ job: other, groups: [group('0-4', 5)] }),
  ]);
  expect(rows.map(({ job: { id }, set, reasons }) => `${id} ${set} ${reasons[0]}`)).toEqual([
    '12 0-4,6-9,11 Priority',
    '12 5,10 JobHeldUser',
    '13 0-4 Priority',
  ]);
});
