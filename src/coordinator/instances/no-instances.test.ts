import { expect, test } from 'vitest';
import { LedgerAtHand } from '../../../test/support/ledger-at-hand.ts';

test('without a provider jobs with instances are refused, and so are tasks without a command', async () => {
  const at = await LedgerAtHand.open();
  await expect(at.submit({ name: 'a', instances: {} as never })).rejects.toMatchObject({
    code: 'BAD_REQUEST',
    details: { where: 'spec.instances' },
  });
  await expect(at.submit({ run: { kind: 'signal' } })).rejects.toMatchObject({
    code: 'BAD_REQUEST',
    details: { where: 'spec.run.kind' },
  });
});
