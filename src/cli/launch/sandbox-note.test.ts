import { expect, test } from 'vitest';
import { sandboxNote } from './sandbox-note.ts';

test('says that instances are not kept apart, and why; nothing where they are, or where another machine has them', () => {
  expect(sandboxNote({ SPAWN_SANDBOX: 'plain' })).toMatch(/^instances are not kept apart .*\(SPAWN_SANDBOX=plain\)/);
  expect(sandboxNote({ SPAWN_SANDBOX: 'separate' })).toBeUndefined();
  expect(sandboxNote({ SPAWN_SANDBOX: 'plain', SPAWN_SERVER: 'http://127.0.0.1:1' })).toBeUndefined();
});

test('refuses another setting, which no agent could start with', () => {
  expect(() => sandboxNote({ SPAWN_SANDBOX: 'none' })).toThrow(
    'SPAWN_SANDBOX: expected auto, separate or plain, found "none"',
  );
});
