import { expect, test } from 'vitest';
import { SlurmSpec } from './slurm.ts';

test.each(['name', 'mailUser', 'account', 'command', 'gres', 'submitHost'])('%s is one line of text', (field) => {
  expect(SlurmSpec.safeParse({ [field]: 'nf-x_(1) "ü" \u2713' }).success).toBe(true);
  for (const text of ['', 'a\nb', 'a\rb', 'a\tb', '\u001b[31m', 'a\0', '\u007f', '\u009b', '\ud800']) {
    expect(SlurmSpec.safeParse({ [field]: text }).success, JSON.stringify(text)).toBe(false);
  }
});

test('a comment may be empty', () => {
  expect(SlurmSpec.safeParse({ comment: '' }).success).toBe(true);
  expect(SlurmSpec.safeParse({ comment: 'a\nb' }).success).toBe(false);
});

test('a field that it does not know is refused, and so is a kind of mail', () => {
  expect(SlurmSpec.safeParse({ nosuch: 1 }).success).toBe(false);
  expect(SlurmSpec.safeParse({ mailType: ['END', 'TIME_LIMIT_80'] }).success).toBe(true);
  expect(SlurmSpec.safeParse({ mailType: ['SOMETIMES'] }).success).toBe(false);
});
