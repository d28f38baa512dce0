import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAX_BLOB_BYTES } from '../api/limits.ts';
import { checkScript, readScriptFile } from './read-script.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-script-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('readScriptFile', () => {
  test('gives the bytes as they are and the name without folders', () => {
    const script = readScriptFile(file('run.sh', '#!/bin/sh\necho ü\n'));
    expect(script.name).toBe('run.sh');
    expect(new TextDecoder().decode(script.bytes)).toBe('#!/bin/sh\necho ü\n');
  });

  test('takes a script of the greatest size', () => {
    expect(readScriptFile(file('big.sh', 'x'.repeat(MAX_BLOB_BYTES))).bytes).toHaveLength(MAX_BLOB_BYTES);
  });

  test('refuses what is not there, a folder, a pipe and what is too large', () => {
    const path = file('large.sh', '');
    truncateSync(path, MAX_BLOB_BYTES + 1);
    mkdirSync(join(folder, 'sub'));
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    expect(() => readScriptFile(join(folder, 'none.sh'))).toThrow(`script: file "${folder}/none.sh" not found`);
    expect(() => readScriptFile(join(path, 'under'))).toThrow('not found');
    expect(() => readScriptFile(join(folder, 'sub'))).toThrow('cannot be read: it is a directory');
    expect(() => readScriptFile(path)).toThrow(
      `script ${path}: expected at most ${MAX_BLOB_BYTES} bytes, found ${MAX_BLOB_BYTES + 1}`,
    );
    expect(() => readScriptFile(join(folder, 'pipe'))).toThrow('cannot be read: it is not a regular file');
  });
});

describe('checkScript', () => {
  const check = (text: string) => checkScript(new TextEncoder().encode(text), 'script x');

  test.each(['echo hello', '#!/bin/sh\n\0\0binary behind a first line', '#!/bin/sh', '#!/bin/sh\necho 1\r\n'])(
    'accepts %j',
    (text) => {
      expect(() => check(text)).not.toThrow();
    },
  );

  test.each([
    ['', 'script x: expected a script, found nothing in it'],
    ['\x7fELF\x02\0', 'script x: expected text or a #! line, found a binary file; to run a program: spawn submit'],
    ['#!/bin/sh\r\nls\r\n', 'script x: expected a first line that ends in LF, found CR LF, as Windows writes it'],
  ])('refuses %j', (text, message) => {
    expect(() => check(text)).toThrow(message);
  });
});
