import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { instanceProgram, requireRunnable } from './sandbox-programs.ts';

test('programs that may not be run are told with what to do', () => {
  const programs = mkdtempSync(join(tmpdir(), 'spawn-programs-'));
  onTestFinished(() => rmSync(programs, { recursive: true }));
  expect(() => requireRunnable(programs)).toThrow('ENOENT');
  // To access(2) it is the same as a mount with noexec.
  writeFileSync(instanceProgram(programs), '', { mode: 0o600 });
  expect(() => requireRunnable(programs)).toThrow(`${programs}: its file system lets no program run (noexec)`);
});
