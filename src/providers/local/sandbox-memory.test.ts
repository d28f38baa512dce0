import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SandboxMemory } from './sandbox-memory.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-memory-'));
  path = join(folder, 'agent.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('the last line counts, also for another agent', () => {
  const memory = new SandboxMemory(path);
  expect(memory.read()).toBeUndefined();
  memory.write('{"n":1}');
  memory.write('{"n":2}');
  expect(memory.read()).toBe('{"n":2}');
  const next = new SandboxMemory(path);
  expect(next.read()).toBe('{"n":2}');
  next.write('{"n":3}');
  expect(memory.read()).toBe('{"n":3}');
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test.each(['\n{"n":', '{"n"', '\n{"n":2', '\n\n'])(
  'a line that was cut off (%j) does not count, and spoils none that follows',
  (part) => {
    const memory = new SandboxMemory(path);
    memory.write('{"n":1}');
    appendFileSync(path, part);
    expect(memory.read()).toBe('{"n":1}');
    memory.write('{"n":9}');
    expect(memory.read()).toBe('{"n":9}');
  },
);

test('does not grow for ever', () => {
  const memory = new SandboxMemory(path);
  const long = JSON.stringify({ text: 'x'.repeat(1_000) });
  for (let n = 0; n < 200; n++) memory.write(long);
  memory.write('"last"');
  expect(readFileSync(path).length).toBeLessThan(70_000);
  expect(memory.read()).toBe('"last"');
});
