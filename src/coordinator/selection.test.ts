import { beforeEach, describe, expect, test } from 'vitest';
import { CALLER, LedgerAtHand, WorkerAtHand } from '../../test/support/ledger-at-hand.ts';
import { encodeOutcome } from '../core/outcome.ts';

let at: LedgerAtHand;

beforeEach(async () => {
  at = await LedgerAtHand.open();
});

/** Six tasks: exit 3, killed, out of memory, exit 0, running its first attempt, ready. */
async function mixed(): Promise<number> {
  const worker = await WorkerAtHand.join(at, { resources: { cpus: 5, memoryBytes: 2 ** 30 } });
  const id = await at.submit({ array: '0-5' });
  await worker.start(id, 0, 1, 2, 3, 4);
  await at.coordinator.hold(CALLER, `${id}_5`, {});
  await worker.end(id, [0], encodeOutcome({ kind: 'exited', code: 3 }));
  await worker.end(id, [1], encodeOutcome({ kind: 'signalled', signal: 9 }));
  await worker.end(id, [2], encodeOutcome({ kind: 'outOfMemory' }));
  await worker.end(id, [3]);
  return id;
}

describe('a selection', () => {
  test.each([
    [{ where: 'exit=3' }, [0]],
    [{ where: 'signal=KILL,oom' }, [1, 2]],
    [{ where: 'exit' }, [0]],
    [{ where: 'cause=exit' }, [0]],
    [{ state: 'failed' }, [0, 1, 2]],
    [{ state: 'failed', where: 'oom', index: '1-5' }, [2]],
    [{ state: 'failed', index: '0-1' }, [0, 1]],
    [{ state: 'completed' }, []],
  ])('%j', async (selection, retried) => {
    const id = await mixed();
    const { tasks } = await at.coordinator.retry(CALLER, String(id), selection);
    expect(tasks).toBe(retried.length);
    const again = at
      .states(id)
      .flatMap((state, position) => (state === 'ready' || state === 'leased' ? [position] : []));
    expect(again).toEqual([...retried, 5]);
  });

  test('of how they ended takes no task that has not', async () => {
    const id = await mixed();
    expect(await at.coordinator.requeue(CALLER, String(id), { where: '0' })).toMatchObject({ tasks: 1 });
    expect(at.states(id)[4]).toBe('running');
  });

  test('of a state makes a hold one of tasks, not of the job', async () => {
    const id = await mixed();
    await at.coordinator.release(CALLER, String(id), {});
    expect(await at.coordinator.hold(CALLER, String(id), { state: 'ready,leased' })).toMatchObject({ tasks: 1 });
    expect(at.job(id).held).toBe(false);
  });

  test.each([
    [{ state: 'done' }, 'state: expected blocked, ready'],
    [{ state: 'failed,' }, 'state: expected blocked, ready'],
    [{ where: 'exit=x' }, 'exit code'],
  ])('%j is wrong', async (selection, message) => {
    const id = await mixed();
    await expect(at.coordinator.cancel(CALLER, String(id), selection)).rejects.toThrow(message);
    expect(at.states(id)).toContain('running');
  });
});
