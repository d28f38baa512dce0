import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accountLabel, accountOf } from './account-label.ts';
import { isDnsLabel } from './dns-label.ts';

describe('the label of an account', () => {
  it.each([
    [123456789012, '1kpqzg2c'],
    [435415984226, '5k0zfnmq'],
    [942542972736, 'c0zxr0ao'],
    [1, '1'],
  ])('%d', (account, label) => expect(accountLabel(account)).toBe(label));

  it.each([-1, 1.5, Number.NaN, 2 ** 60])('is not made of %d', (account) =>
    expect(() => accountLabel(account)).toThrow(RangeError),
  );
});

describe('the account of an owner', () => {
  it('is the same each time, and another one for another owner or store', () => {
    expect(accountOf('uid:1000', 's1')).toBe(accountOf('uid:1000', 's1'));
    const all = [accountOf('uid:1000', 's1'), accountOf('uid:1001', 's1'), accountOf('uid:1000', 's2')];
    expect(new Set(all).size).toBe(3);
  });

  it('stays what it was in older releases', () => {
    expect(accountLabel(accountOf('uid:1000', 'store'))).toBe('69b0pwou');
  });

  it('has 12 digits, 8 characters as a label, and nothing of the owner in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (owner, store) => {
        const account = accountOf(owner, store);
        expect(String(account)).toHaveLength(12);
        expect(accountLabel(account)).toHaveLength(8);
        expect(isDnsLabel(accountLabel(account))).toBe(true);
      }),
    );
  });
});
