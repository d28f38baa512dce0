import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSecret } from './secrets.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-secrets-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function fileWith(name: string, text: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

describe('readSecret', () => {
  test('gives what a variable holds, as it is', () => {
    expect(readSecret({ env: 'KEY' }, 'input.s3', { KEY: ' a b\n' })).toBe(' a b\n');
  });

  test.each([
    ['hunter2\n', 'hunter2'],
    ['hunter2\r\n', 'hunter2'],
    ['hunter2', 'hunter2'],
    ['two\n\n', 'two\n'],
    ['\uFEFFwith a mark', 'with a mark'],
  ])('gives what a file holds without one line end: %j', (text, secret) => {
    expect(readSecret({ file: fileWith('one', text) }, 'input.s3', {})).toBe(secret);
  });

  test('reads a file again, so that a changed secret is used', () => {
    const file = fileWith('changes', 'old');
    expect(readSecret({ file }, 'w', {})).toBe('old');
    writeFileSync(file, 'new');
    expect(readSecret({ file }, 'w', {})).toBe('new');
  });

  test.each([
    ['NONE', 'variable NONE, found no such variable'],
    ['EMPTY', 'variable EMPTY, found nothing in it'],
    ['NUL', 'variable NUL, found a NUL byte in it'],
  ])('says what is wrong with variable %s, and not what it holds', (name, words) => {
    const read = () => readSecret({ env: name }, 'input.s3.secretAccessKey', { EMPTY: '', NUL: 'hidden\0' });
    expect(read).toThrow(`input.s3.secretAccessKey: expected a secret in ${words}`);
    expect(read).not.toThrow(/hidden/);
  });

  test('says what is wrong with a file, and waits for no fifo', () => {
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const cases: readonly (readonly [path: string, found: string])[] = [
      [join(folder, 'none'), 'no such file'],
      [join(fileWith('plain', 'x'), 'below'), 'no such file'],
      [folder, 'something that is not a file'],
      [fifo, 'something that is not a file'],
      [fileWith('empty', '\n'), 'nothing in it'],
      [fileWith('long', 'x'.repeat(65_537)), 'more than 65536 bytes'],
      [fileWith('latin1', Uint8Array.of(0x68, 0xe9)), 'bytes that are not UTF-8'],
    ];
    for (const [file, found] of cases) {
      expect(() => readSecret({ file }, 'w', {})).toThrow(`w: expected a secret in file ${file}, found ${found}`);
    }
  });
});
