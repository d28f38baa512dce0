import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ArrayFiles } from './array-files.ts';
import { SandboxFiles } from './sandbox-files.ts';
import { SharedFiles } from './shared-files.ts';

const ARRAY = 'compute-20260101-000001';
let instances: string;
beforeEach(() => {
  instances = mkdtempSync(join(tmpdir(), 'spawn-array-'));
});
afterEach(() => rmSync(instances, { recursive: true, force: true }));

const file = (version: number) => ({ key: `1-${version}`, version, text: () => `members of ${version}` });

/** Members of one array, as one agent has them. */
function membersOf(count: number): { files: SandboxFiles; path: string }[] {
  const once = { shared: new SharedFiles(join(instances, '.shared')), arrays: new ArrayFiles(instances) };
  return Array.from({ length: count }, (_, index) => {
    const directory = join(instances, `i-${index}`);
    mkdirSync(join(directory, 'spawn'), { recursive: true });
    if (!existsSync(join(directory, '.spawn-array')))
      symlinkSync(`../.arrays/${ARRAY}`, join(directory, '.spawn-array'));
    return { files: new SandboxFiles(directory, ARRAY, once), path: join(directory, 'spawn/hosts') };
  });
}

test('a member has the file from when it is given to it, and follows the others from then on', () => {
  const [a, b] = membersOf(2) as [ReturnType<typeof membersOf>[0], ReturnType<typeof membersOf>[0]];
  a.files.write({ hosts: file(1) });
  expect(readFileSync(a.path, 'utf8')).toBe('members of 1');
  expect(existsSync(b.path)).toBe(false);
  b.files.write({ hosts: 'its own' });
  b.files.write({ hosts: file(2) });
  for (const { path } of [a, b]) expect(readFileSync(path, 'utf8')).toBe('members of 2');
  expect(statSync(a.path).ino).toBe(statSync(b.path).ino);
  expect(statSync(a.path).mode & 0o777).toBe(0o444);
});

test('an older one takes the place of no newer one', () => {
  const [a, b] = membersOf(2) as [ReturnType<typeof membersOf>[0], ReturnType<typeof membersOf>[0]];
  a.files.write({ hosts: file(2) });
  b.files.write({ hosts: file(1) });
  expect(readFileSync(b.path, 'utf8')).toBe('members of 2');
});

test('one can have its own again, and none, while the others keep theirs', () => {
  const [a, b] = membersOf(2) as [ReturnType<typeof membersOf>[0], ReturnType<typeof membersOf>[0]];
  for (const { files } of [a, b]) files.write({ hosts: file(1) });
  a.files.write({ hosts: 'its own' });
  expect(lstatSync(a.path).isSymbolicLink()).toBe(false);
  expect(readFileSync(b.path, 'utf8')).toBe('members of 1');
  a.files.write({ hosts: null });
  expect(existsSync(a.path)).toBe(false);
  a.files.write({ hosts: file(1) });
  expect(readFileSync(a.path, 'utf8')).toBe('members of 1');
});

test('is written again when the array was gone meanwhile, and by an agent that comes later', () => {
  const [a] = membersOf(1) as [ReturnType<typeof membersOf>[0]];
  a.files.write({ hosts: file(3) });
  rmSync(join(instances, '.arrays'), { recursive: true });
  a.files.write({ hosts: file(3) });
  expect(readFileSync(a.path, 'utf8')).toBe('members of 3');
  const [later] = membersOf(1) as [ReturnType<typeof membersOf>[0]];
  later.files.write({ hosts: file(4) });
  expect(readFileSync(a.path, 'utf8')).toBe('members of 4');
});
