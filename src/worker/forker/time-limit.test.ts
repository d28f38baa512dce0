import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ForkerUnderTest, readPid, TERMED } from '../../../test/support/forker-under-test.ts';
import type { LimitWarning } from './types.ts';

const { signals } = constants;
const USR1 = signals.SIGUSR1;

/** A main process and a child, each writing down the signal it gets; `told` files have a line for each. */
const listens = (folder: string) => {
  const one = (name: string) =>
    `trap "echo usr1 >> ${join(folder, name)}" USR1; echo 1 > ${join(folder, name)}.up; while :; do sleep 0.02; done`;
  return `sh -c '${one('child')}' & ${one('main')}`;
};
const told = (folder: string, name: string) => {
  const path = join(folder, name);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
};

/** Both listen; without a time limit worth the name. */
async function listening(forker: ForkerUnderTest, warning: LimitWarning) {
  const fence = forker.run({ script: listens(forker.logDir), timeLimitMs: 600_000, warning });
  await forker.started(fence);
  // Less than what the forker counts, by the time it took to tell.
  const began = performance.now();
  for (const name of ['main', 'child']) await readPid(join(forker.logDir, `${name}.up`));
  return { fence, sinceStartMs: () => Math.ceil(performance.now() - began) };
}

describe.each(['native', 'node'] as const)('%s forker: time limits', (kind) => {
  test.each([
    { mainOnly: false, whom: 'the whole group', childTold: 'usr1\n' },
    { mainOnly: true, whom: 'the main process alone', childTold: '' },
  ])('a warning goes once to $whom, before the limit', async ({ mainOnly, childTold }) => {
    await using forker = await ForkerUnderTest.start(kind);
    const warning = { signal: USR1, beforeMs: 600, mainOnly };
    const { fence, sinceStartMs } = await listening(forker, warning);
    const limitMs = sinceStartMs() + 1200;
    forker.forker.limit(fence, limitMs);
    const ended = await forker.ended(fence);
    expect(ended).toMatchObject({ end: TERMED, cause: 'timeLimit' });
    expect(ended.wallUs).toBeGreaterThanOrEqual(limitMs * 1000);
    expect([told(forker.logDir, 'main'), told(forker.logDir, 'child')]).toEqual(['usr1\n', childTold]);
  });

  test('a warning longer than the limit comes at the start, one without a limit never', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const warning = { signal: USR1, beforeMs: 100_000, mainOnly: true };
    const early = await forker.ended(forker.run({ script: 'sleep 1000', timeLimitMs: 60_000, warning }));
    expect(early).toMatchObject({ end: { kind: 'signalled', signal: USR1 }, cause: 'none' });
    const { ended } = await forker.complete('sleep 0.3', { warning });
    expect(ended).toMatchObject({ end: { kind: 'exited', code: 0 }, cause: 'none' });
  });

  test('a limit is lowered while the task runs, also to one that has passed', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const [first, second, none] = [600_000, 600_000, 0].map((timeLimitMs) =>
      forker.run({ script: 'sleep 1000', timeLimitMs }),
    ) as [number, number, number];
    for (const fence of [first, second, none]) await forker.started(fence);
    forker.forker.limit(first, 300);
    forker.forker.limit(second, 1);
    forker.forker.limit(none, 200);
    forker.forker.limit(99, 1);
    for (const fence of [first, second, none]) {
      expect(await forker.ended(fence)).toMatchObject({ end: TERMED, cause: 'timeLimit' });
    }
    expect((await forker.ended(first)).wallUs).toBeGreaterThanOrEqual(300_000);
  });

  test('a limit is raised and taken away', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const gate = join(forker.logDir, 'gate');
    const script = `until [ -e ${gate} ]; do sleep 0.02; done`;
    const [raised, freed, bounded] = [1, 2, 3].map(() => forker.run({ script, timeLimitMs: 700 })) as [
      number,
      number,
      number,
    ];
    forker.forker.limit(raised, 600_000);
    forker.forker.limit(freed, 0);
    // By now the others would have ended.
    expect((await forker.ended(bounded)).cause).toBe('timeLimit');
    await forker.complete(`touch ${gate}`);
    for (const fence of [raised, freed]) expect((await forker.ended(fence)).cause).toBe('none');
  });

  test('the warning moves with the limit, and is not sent a second time', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const { fence, sinceStartMs } = await listening(forker, { signal: USR1, beforeMs: 500, mainOnly: true });
    forker.forker.limit(fence, sinceStartMs() + 1000);
    await readLine(join(forker.logDir, 'main'));
    const limitMs = sinceStartMs() + 1000;
    forker.forker.limit(fence, limitMs);
    const ended = await forker.ended(fence);
    expect(ended).toMatchObject({ cause: 'timeLimit' });
    expect(ended.wallUs).toBeGreaterThanOrEqual(limitMs * 1000);
    expect(told(forker.logDir, 'main')).toBe('usr1\n');
  });

  test('the limit of a run that waits in its queue changes too; one that is being killed keeps its grace', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const queue = { id: 1, width: 1 };
    const first = forker.run({
      script: 'trap "" TERM; echo 1 > up; while :; do sleep 0.05; done',
      queue,
      timeLimitMs: 600_000,
    });
    const second = forker.run({ script: 'sleep 1000', queue });
    await readPid(join(forker.logDir, 'up'));
    forker.forker.limit(second, 200);
    forker.forker.kill(first, 'cancel', 200);
    forker.forker.limit(first, 0);
    expect(await forker.ended(first)).toMatchObject({ cause: 'cancel' });
    expect(await forker.ended(second)).toMatchObject({ end: TERMED, cause: 'timeLimit' });
  });
});

const readLine = async (path: string): Promise<void> => void (await readPid(path));
