import { expect, test } from 'vitest';
import { LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';

test('a worker is told what tasks are to know of Slurm, and nothing else of it', async () => {
  const at = await LedgerAtHand.open();
  const worker = await WorkerAtHand.join(at);
  const slurm = { name: 'nf-x (1)', ntasks: 2, memPer: 'cpu', uid: 7 } as const;
  await at.submit({ slurm: { ...slurm, comment: 'secret', mailUser: 'a@b', notes: ['--qos does nothing'] } });
  await at.submit();
  await at.ledger.idle();
  expect(worker.told('job').map(({ job }) => job.slurm)).toEqual([slurm, undefined]);
});

test('a worker is told where the input is', async () => {
  const at = await LedgerAtHand.open();
  const worker = await WorkerAtHand.join(at);
  await at.submit({ inputPath: 'in/%a' });
  await at.ledger.idle();
  expect(worker.told('job').map(({ job }) => job.inputPath)).toEqual(['in/%a']);
});
