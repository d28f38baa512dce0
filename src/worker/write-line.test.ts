import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const module = fileURLToPath(new URL('write-line.ts', import.meta.url));

test('a line that finds no room is lost, and nothing else', () => {
  const full = openSync('/dev/full', 'w');
  const script = `import { writeLine } from ${JSON.stringify(module)}; writeLine('one'); writeLine('two'); setImmediate(() => console.log('on'));`;
  const args = ['--no-warnings', '--input-type=module', '-e', script];
  const ran = (stderr: number | 'pipe') =>
    spawnSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', stderr] });
  expect(ran(full)).toMatchObject({ status: 0, stdout: 'on\n' });
  closeSync(full);
  expect(ran('pipe')).toMatchObject({ status: 0, stderr: 'one\ntwo\n' });
});
