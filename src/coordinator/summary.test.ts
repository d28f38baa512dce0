import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CALLER } from '../../test/support/ledger-at-hand.ts';
import { LoggingTasks } from '../../test/support/logging-tasks.ts';
import { SummaryReply } from '../api/insight.ts';
import { encodeOutcome } from '../core/outcome.ts';

const KILLED = encodeOutcome({ kind: 'signalled', signal: 9 });
const OOM = encodeOutcome({ kind: 'outOfMemory' });
const LATE = encodeOutcome({ kind: 'timedOut' });
const LOST = encodeOutcome({ kind: 'lost' });

let tasks: LoggingTasks;
beforeEach(async () => {
  tasks = await LoggingTasks.open();
});
afterEach(() => tasks.dispose());

async function summary(ref: number | string) {
  return SummaryReply.parse(await tasks.at.coordinator.summary(CALLER, String(ref)));
}

const shown = async (id: number) =>
  (await summary(id)).failures.map(({ cause, outcome, message, tasks: count, estimated, indices }) =>
    [cause, outcome, message ?? '-', `${estimated ? '~' : ''}${count}`, indices].join(' | '),
  );

describe('failures by cause', () => {
  test('are counted by outcome and by what was said last', async () => {
    const id = await tasks.at.submit({ array: '10-29' });
    await tasks.end(id, [
      { position: 0, outcome: 1, stderr: 'Traceback:\nKeyError: row 17\n\n' },
      { position: 1, outcome: 1, stderr: 'KeyError: row 4\n' },
      { position: 2, outcome: 1, stderr: 'ValueError: x' },
      { position: 3, outcome: 1 },
      { position: 4, outcome: KILLED },
      { position: 5, outcome: OOM, stderr: '12:00:01 allocating' },
      { position: 6, outcome: LATE },
      { position: 7 },
    ]);
    expect(await shown(id)).toEqual([
      'exit | exit 1 | KeyError: row <n> | 2 | 10-11',
      'exit | exit 1 | ValueError: x | 1 | 12',
      'exit | exit 1 | - | 1 | 13',
      'signal | SIGKILL (9) | - | 1 | 14',
      'timeLimit | time limit | - | 1 | 16',
      'outOfMemory | out of memory | <time> allocating | 1 | 15',
    ]);
    const [first, , , killed] = (await summary(id)).failures;
    expect(first).toMatchObject({ exitCode: 1, example: `${id}_10` });
    expect(killed).toMatchObject({ signal: 9, example: `${id}_14` });
  });

  test('what was cancelled or skipped has its reason; what runs again is no failure', async () => {
    const first = await tasks.at.submit({ array: '0-3', retries: 1, crashLimit: 1 });
    const then = await tasks.at.submit({ array: '0-8', after: `afterok:${first}` });
    await tasks.end(first, [{ position: 0, outcome: 1 }, { position: 1, outcome: LOST }, { position: 2 }]);
    await tasks.at.coordinator.cancel(CALLER, `${first}_3`, {});
    expect((await shown(first))[0]).toBe('lost | worker lost | - | 1 | 1');
    await tasks.end(first, [{ position: 0, outcome: 2 }]);
    await tasks.end(first, [{ position: 3, outcome: encodeOutcome({ kind: 'cancelled' }) }]);
    expect(await shown(first)).toEqual([
      'exit | exit 2 | - | 1 | 0',
      'lost | worker lost | - | 1 | 1',
      'cancelled | cancelled by a user | - | 1 | 3',
    ]);
    expect(await shown(then)).toEqual(['dependency | dependency never satisfied | - | 9 | 0-8']);
    expect((await summary(first)).retriedTasks).toBe(1);
  });

  test('of many are estimated from a sample of each outcome, and the outcomes stay exact', async () => {
    const id = await tasks.at.submit({ array: '0-3999' });
    const ends = Array.from({ length: 4_000 }, (_, position) => {
      if (position === 1_234) return { position, outcome: 77, stderr: 'rare\n' };
      if (position % 4 === 0) return { position };
      return { position, outcome: 1, stderr: position % 4 === 1 ? `bad row ${position}\n` : `no file ${position}\n` };
    });
    for (let from = 0; from < 4_000; from += 100) await tasks.end(id, ends.slice(from, from + 100));
    const { failures } = await summary(id);
    const of = (code: number) => failures.filter(({ exitCode }) => exitCode === code);
    expect(of(77)).toMatchObject([{ tasks: 1, estimated: false, message: 'rare', indices: '1234' }]);
    expect(of(1).map(({ message }) => message)).toEqual(['no file <n>', 'bad row <n>']);
    expect(of(1).every(({ estimated }) => estimated)).toBe(true);
    expect(of(1).reduce((sum, group) => sum + group.tasks, 0)).toBe(2_999);
    for (const [at, truth] of [1_999, 1_000].entries()) {
      expect(Math.abs(of(1)[at]!.tasks - truth)).toBeLessThan(300);
      expect(of(1)[at]!.indices.length).toBeLessThanOrEqual(400);
    }
  });

  test('are the same from the store, after a restart and after the job has left memory', async () => {
    const id = await tasks.at.submit({ array: '0-9' });
    await tasks.end(
      id,
      Array.from({ length: 10 }, (_, position) => ({
        position,
        outcome: position % 3,
        stderr: `e${position}`,
        wallUs: position * 1_000_000 + 1,
      })),
    );
    const { failures, slowest, retriedTasks } = await summary(id);
    expect(failures).toHaveLength(2);
    expect(slowest.map(({ index, wallMs, worker }) => [index, Math.round(wallMs!), worker])).toEqual(
      [9, 8, 7, 6, 5].map((index) => [index, index * 1000, 'w']),
    );
    expect(slowest[0]).toMatchObject({ state: 'completed', exitCode: 0, attempt: 1 });
    tasks.at.evictAll();
    expect(tasks.at.ledger.memory.jobs.has(id)).toBe(false);
    expect(await summary(id)).toMatchObject({ failures, slowest, retriedTasks });
    await tasks.at.restart();
    expect(await summary(id)).toMatchObject({ failures, slowest, retriedTasks });
  });
});

describe('rate and forecast', () => {
  test('follow the last minute', async () => {
    const { at } = tasks;
    const id = await at.submit({ array: '0-99', throttle: 10 });
    expect(await summary(id)).not.toHaveProperty('ratePerSecond');
    await tasks.worker.start(id, 0, 1);
    at.clock.pass(10_000);
    await tasks.end(
      id,
      [2, 3, 4, 5, 6].map((position) => ({ position, wallUs: 2_000_000 })),
    );
    const { ratePerSecond, etaAt, longestRunning, latestRunning } = await summary(id);
    expect(ratePerSecond).toBe(0.5);
    expect(etaAt).toBe(at.clock.now() + 190_000);
    expect(longestRunning.map(({ index, state }) => [index, state])).toEqual([
      [0, 'running'],
      [1, 'running'],
    ]);
    await tasks.worker.start(id, 7);
    expect(latestRunning?.map(({ index }) => index)).toEqual([0, 1]);
    expect((await summary(id)).latestRunning?.map(({ index }) => index)).toEqual([7, 0, 1]);
    await at.coordinator.hold(CALLER, String(id), {});
    expect(await summary(id)).not.toHaveProperty('etaAt');
    await at.coordinator.release(CALLER, String(id), {});
    at.clock.pass(120_000);
    expect(await summary(id)).toMatchObject({ ratePerSecond: 0, etaAt: at.clock.now() + 19_000 });
  });

  test('are not told of a job of which nothing runs, or that has ended', async () => {
    const held = await tasks.at.submit({ hold: true, array: '0-9' });
    expect(await summary(held)).not.toHaveProperty('etaAt');
    const done = await tasks.at.submit();
    await tasks.end(done, [{ position: 0 }]);
    expect(await summary(done)).not.toHaveProperty('etaAt');
    expect(await summary(done)).not.toHaveProperty('ratePerSecond');
  });
});

test('of an unknown job there is none', async () => {
  await expect(summary('77')).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
});
