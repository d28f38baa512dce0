import { expect, test } from 'vitest';
import { MAX_STAGE_BYTES } from './limits.ts';
import { readStageManifest, writeStageManifest } from './stage.ts';

const HASH = 'a'.repeat(64);
const GOOD = { version: 1, pieces: [HASH], bytes: 10 } as const;
const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

test('is read as it was written', () => {
  expect(readStageManifest(writeStageManifest(GOOD))).toEqual(GOOD);
  const largest = { version: 1, pieces: Array(128).fill(HASH), bytes: MAX_STAGE_BYTES } as const;
  expect(readStageManifest(writeStageManifest(largest))).toEqual(largest);
});

test.each([
  null,
  [],
  'x',
  {},
  { ...GOOD, version: 2 },
  { ...GOOD, pieces: [] },
  { ...GOOD, pieces: ['../../etc/passwd'] },
  { ...GOOD, pieces: [7] },
  { ...GOOD, pieces: 'many' },
  { ...GOOD, pieces: Array(129).fill(HASH) },
  { ...GOOD, bytes: 0 },
  { ...GOOD, bytes: MAX_STAGE_BYTES + 1 },
  { ...GOOD, bytes: '10' },
])('%j is none', (value) => {
  expect(readStageManifest(encode(value))).toBeUndefined();
});

test('neither is what is no JSON, no text, or far too long', () => {
  expect(readStageManifest(new TextEncoder().encode('{'))).toBeUndefined();
  expect(readStageManifest(new Uint8Array([0xff, 0xfe]))).toBeUndefined();
  expect(readStageManifest(new Uint8Array(100_000))).toBeUndefined();
});
