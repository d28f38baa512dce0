import { expect, test, vi } from 'vitest';
import { minimalEnvironment } from './environment.ts';

vi.mock('node:os', async (original) => ({
  ...(await original<object>()),
  userInfo: () => {
    throw new Error('A system error occurred: uv_os_get_passwd returned ENOENT (no such file or directory)');
  },
}));

test('a user who has a number and no name gets an environment too', () => {
  vi.stubEnv('HOME', '');
  const number = process.getuid?.() ?? 0;
  const env = minimalEnvironment();
  for (const line of [`USER=${number}`, `LOGNAME=${number}`, 'HOME=/', 'SHELL=/bin/sh']) expect(env).toContain(line);
});
