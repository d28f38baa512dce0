import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { CALLER, LedgerAtHand } from '../../test/support/ledger-at-hand.ts';
import { openBlobs } from '../objects/directory/blobs.ts';
import type { Caller } from './use-cases.ts';

const ROOT: Caller = { ...CALLER, owner: '0', role: 'admin' };
const BOB: Caller = { ...CALLER, owner: 'bob', role: 'submit', sameHost: false };

async function submitted(bytes: Uint8Array): Promise<{ at: LedgerAtHand; ref: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'spawn-blobs-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const at = await LedgerAtHand.open({ blobs: await openBlobs(folder) });
  const { hash } = await at.coordinator.putBlob(CALLER, 'script', bytes);
  const id = await at.submit({ run: { kind: 'script', hash, name: 'run.sh', args: [] } });
  return { at, ref: String(id) };
}

test.each([
  ['text', Buffer.from('#!/bin/sh\r\necho ü\n')],
  ['nothing', Buffer.alloc(0)],
  ['bytes that are no text', Buffer.from([0xff, 0xfe, 0])],
])('a script of %s comes back byte for byte', async (_, bytes) => {
  const { at, ref } = await submitted(bytes);
  expect(Buffer.from(await at.coordinator.script(CALLER, ref))).toEqual(bytes);
  await at.coordinator.cancel(CALLER, ref, {});
  at.evictAll();
  expect(Buffer.from(await at.coordinator.script(ROOT, ref))).toEqual(bytes);
});

test('others do not get it, whatever their role allows them to look at', async () => {
  const { at, ref } = await submitted(Buffer.from('#!/bin/sh\n'));
  await expect(at.coordinator.script(BOB, ref)).rejects.toMatchObject({ code: 'NOT_PERMITTED' });
  at.evictAll();
  await expect(at.coordinator.script({ ...BOB, role: 'read' }, ref)).rejects.toMatchObject({ code: 'NOT_PERMITTED' });
});

test('a command line has none, and an unknown job is told as such', async () => {
  const at = await LedgerAtHand.open();
  const id = await at.submit();
  await expect(at.coordinator.script(CALLER, String(id))).rejects.toMatchObject({
    code: 'NO_SCRIPT',
    message: `job "${id}": expected one that was submitted as a script, found a command line`,
  });
  await expect(at.coordinator.script(CALLER, '99')).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
});
