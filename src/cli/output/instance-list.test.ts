import { expect, test } from 'vitest';
import { runCli } from '../../../test/support/cli-world.ts';
import { anInstance, anInstanceId } from '../../../test/support/instance-views.ts';
import type { InstanceView } from '../../api/instance.ts';

const having = (...instances: InstanceView[]) => ({
  client: { instances: async () => ({ instances }), jobs: async () => ({ jobs: [] }) },
});
const gone = (index: number, part: Partial<InstanceView> = {}) =>
  anInstance(index, { state: 'terminated', reason: 'ttl', ...part });
const older = (length: number) =>
  Array.from({ length }, (_, index) =>
    gone(index, { id: anInstanceId(500 + index), jobId: 20, arrayId: 'old-20260114-0000ff', arrayName: 'old' }),
  );
const listed = async (words: readonly string[], instances: readonly InstanceView[]) =>
  (await runCli(['list', ...words], { ...having(...instances), tty: true })).out.split('\n');

test('arrays that have ended come last', async () => {
  const lines = await listed([], [...older(1), anInstance(0)]);
  expect(lines.filter((line) => /instance,/.test(line))).toEqual([
    '  compute (1 instance, 1 running)',
    '  old (1 instance, 1 terminated)',
  ]);
  expect(lines.at(-2)).toContain('[0] compute-0  i-000000000000001f4  m7i.large  terminated');
});

test('and are folded where the list is longer than the terminal, as is what is no array', async () => {
  const own = [anInstance(0), gone(1), gone(2)].map((each, n) => ({
    ...each,
    id: anInstanceId(900 + n),
    standalone: true,
  }));
  const lines = await listed([], [...older(20), anInstance(0), ...own]);
  expect(lines.slice(6, 9)).toEqual([
    '  old (20 instances, 20 terminated)',
    '  Array ID: old-20260114-0000ff',
    'Standalone Instances:',
  ]);
  expect(lines.slice(10)).toEqual([
    '',
    'Not shown: what has ended. See: spawn list --state terminated; or --job-array-id ID, --name NAME',
    '',
  ]);
  // With a filter all of them are there, as they come.
  expect(await listed(['--region', 'local'], [...older(20), anInstance(0), ...own])).toHaveLength(33);
});

test('of many members in the same state only some are shown', async () => {
  const all = Array.from({ length: 1_000 }, (_, index) => anInstance(index, index === 500 ? { state: 'pending' } : {}));
  const lines = await listed([], all);
  expect(lines[2]).toBe('  compute (1000 instances, 999 running, 1 pending)');
  expect(
    lines.slice(4).map((line) =>
      line
        .trim()
        .replace(/ +i-.*/, '')
        .replace(/ +/, ' '),
    ),
  ).toEqual([
    '[0] compute-0',
    '[1] compute-1',
    '[2] compute-2',
    '… 496 more running',
    '[499] compute-499',
    '[500] compute-500',
    '[501] compute-501',
    '[502] compute-502',
    '[503] compute-503',
    '… 495 more running',
    '[999] compute-999',
    '',
  ]);
  expect(await listed(['--job-array-name', 'compute'], all)).toHaveLength(1_005);
});
