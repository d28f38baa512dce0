import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { checkToken, readCaFile, readTokenFile } from './secret-files.ts';

const TOKEN = `spawn_12_${'aZ09_-'.repeat(7)}x`;

function file(text: string, mode = 0o600): string {
  const folder = mkdtempSync(join(tmpdir(), 'spawn-secret-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'file');
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

test('a token is read from a file of its owner alone, whatever blanks are around it', () => {
  expect(readTokenFile(file(`${TOKEN}\n`), '--token-file')).toBe(TOKEN);
  expect(readTokenFile(file(`  ${TOKEN}\r\n\n`, 0o400), '--token-file')).toBe(TOKEN);
});

test.each([0o604, 0o640, 0o644, 0o602, 0o620])('one of mode %o is refused', (mode) => {
  const path = file(TOKEN, mode);
  expect(() => readTokenFile(path, '--token-file')).toThrow(
    `--token-file: file ${path}: expected mode 0600 (chmod 600): whoever can read the token can use it, found "mode 0${mode.toString(8)}"`,
  );
});

test.each([
  ['', 'nothing'],
  ['my-password', '11 other characters'],
  [`${TOKEN}x`, '53 other characters'],
  [`${TOKEN}\n${TOKEN}`, '105 other characters'],
  [TOKEN.replace('spawn', 'Spawn'), '52 other characters'],
  [TOKEN.replace('_12_', '_0_'), '51 other characters'],
])('what is no token is refused, and not shown', (text, found) => {
  expect(() => checkToken(text, 'SPAWN_TOKEN')).toThrow(
    `SPAWN_TOKEN: expected a token as \`spawn token create\` printed it, found "${found}"`,
  );
});

test('files that are not there, are folders or are too long are refused', () => {
  expect(() => readTokenFile('/nowhere/at/all', '--token-file')).toThrow(
    '--token-file: file "/nowhere/at/all" not found',
  );
  expect(() => readTokenFile('/', '--token-file')).toThrow(/^--token-file: file "\/" cannot be read: EISDIR/);
  expect(() => readTokenFile(file('x'.repeat(5_000)), '--token-file')).toThrow('more than 4096 bytes');
});

test('certificates are read, and what is none is refused', () => {
  const pem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
  expect(readCaFile(file(pem, 0o644), '--ca-file')).toBe(pem);
  const path = file('-----BEGIN PRIVATE KEY-----');
  expect(() => readCaFile(path, '--ca-file')).toThrow(
    `--ca-file: file ${path}: expected a certificate in PEM (-----BEGIN CERTIFICATE-----), found "none"`,
  );
});
