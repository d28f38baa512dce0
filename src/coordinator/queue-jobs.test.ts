import { expect, test } from 'vitest';
import { LedgerAtHand } from '../../test/support/ledger-at-hand.ts';
import { resolveIds, splitRefs } from './queue-jobs.ts';

test.each([
  ['12', ['12']],
  ['12,13_[1,3-5],14_2', ['12', '13_[1,3-5]', '14_2']],
  [',,', ['', '', '']],
  ['1_[2,3', ['1_[2,3']],
  ['1],2', ['1]', '2']],
])('%s names %j', (text, refs) => {
  expect(splitRefs(text)).toEqual(refs);
});

test('very many commas are split in one walk', () => {
  // Looking ahead from each of them would take hours.
  expect(splitRefs(',['.repeat(1_000_000)).length).toBe(2);
  expect(splitRefs(','.repeat(5_000_000)).length).toBe(5_000_001);
});

test('a job that is named often has all of its tasks that are, or all there are', async () => {
  const at = await LedgerAtHand.open();
  const [some, all] = [await at.submit({ array: '0-9' }), await at.submit({ array: '0-9' })];
  const ids = [`${some}_1,${some}_[2,4]`, `${all}_1,${all},${all}_3,99,99_1`];
  const { jobs, missing } = await resolveIds(at.ledger, ids, (ref) => ref);
  expect([...jobs!].map(([id, sets]) => [id, sets?.map(String)])).toEqual([
    [some, ['1', '2,4']],
    [all, undefined],
  ]);
  expect(missing).toEqual(['99', '99_1']);
});
