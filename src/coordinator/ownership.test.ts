import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { CALLER, LedgerAtHand } from '../../test/support/ledger-at-hand.ts';
import { JobSpec, type JobSpecInput } from '../api/job-spec.ts';
import { openBlobs } from '../objects/directory/blobs.ts';
import type { Caller } from './use-cases.ts';

let at: LedgerAtHand;
beforeEach(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'spawn-blobs-'));
  at = await LedgerAtHand.open({ blobs: await openBlobs(folder) });
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

const ADA: Caller = { owner: 'ada', tenant: 'local', sameHost: false, role: 'submit', token: 1 };
const BOB: Caller = { ...ADA, owner: 'bob', token: 2 };
const ROOT: Caller = { ...ADA, owner: 'root', role: 'admin', token: 3 };

async function submit(caller: Caller, part: Partial<JobSpecInput> = {}): Promise<string> {
  const spec = JobSpec.parse({ run: { kind: 'argv', argv: ['true'] }, cwd: '/', ...part });
  return String((await at.coordinator.submit(caller, { spec })).job.id);
}

test('a job is changed by its owner and by admins, and looked at by all', async () => {
  const ref = await submit(ADA);
  expect((await at.coordinator.job(BOB, ref)).owner).toBe('ada');
  for (const verb of ['hold', 'release', 'cancel', 'retry', 'requeue'] as const) {
    await expect(at.coordinator[verb](BOB, ref, {} as never)).rejects.toMatchObject({
      code: 'NOT_PERMITTED',
      message: `not permitted: ${verb} job ${ref} (it belongs to ada, and the token's owner is bob)`,
    });
  }
  await expect(at.coordinator.update(BOB, ref, { throttle: 1 } as never)).rejects.toMatchObject({
    code: 'NOT_PERMITTED',
  });
  expect((await at.coordinator.job(BOB, ref)).throttle).toBe(0);
  expect((await at.coordinator.hold(ADA, ref, {})).tasks).toBe(1);
  expect((await at.coordinator.release(ROOT, ref, {})).tasks).toBe(1);
  expect((await at.coordinator.cancel(CALLER, ref, {})).tasks).toBe(1);
});

test('one that has ended and left memory is not brought back to life by another', async () => {
  const ref = await submit(ADA);
  await at.coordinator.cancel(ADA, ref, {});
  at.evictAll();
  await expect(at.coordinator.retry(BOB, ref, {} as never)).rejects.toMatchObject({ code: 'NOT_PERMITTED' });
  expect((await at.coordinator.job(BOB, ref)).state).toBe('cancelled');
  expect((await at.coordinator.retry(ADA, ref, {} as never)).tasks).toBe(1);
});

test('the same name in another tenant is another owner', async () => {
  const ref = await submit(ADA);
  const other = { ...ADA, tenant: 'elsewhere' };
  await expect(at.coordinator.cancel(other, ref, {})).rejects.toMatchObject({ code: 'NOT_PERMITTED' });
});

test('the name of an environment snapshot is told to the owner of its job and to admins alone', async () => {
  const { hash } = await at.coordinator.putBlob(ADA, 'env', Buffer.from('SECRET=1\0'));
  const ref = await submit(ADA, { envSnapshot: hash });
  const told = async (caller: Caller) => (await at.coordinator.spec(caller, ref)).spec.envSnapshot;
  expect([await told(ADA), await told(ROOT), await told(CALLER), await told(BOB)]).toEqual([
    hash,
    hash,
    hash,
    undefined,
  ]);
});
