import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CALLER } from '../../test/support/ledger-at-hand.ts';
import { LoggingTasks } from '../../test/support/logging-tasks.ts';
import { PruneReply, PruneRequest, type PruneRequestInput } from '../api/access.ts';
import { writeParamTable } from '../api/param-table.ts';

const DAY = 86_400_000;

let tasks: LoggingTasks;
beforeEach(async () => {
  tasks = await LoggingTasks.open();
});
afterEach(() => tasks.dispose());

async function prune(request: Partial<PruneRequestInput> = {}) {
  const full = PruneRequest.parse({ olderThanMs: 0, ...request });
  return PruneReply.parse(await tasks.at.coordinator.prune(CALLER, full));
}

/** A job whose tasks write something and end. */
async function endedJob(size = 1, spec: object = {}, outcome = 0): Promise<number> {
  const id = await tasks.at.submit({ array: `0-${size - 1}`, ...spec });
  await tasks.end(
    id,
    Array.from({ length: size }, (_, position) => ({ position, outcome, stderr: 'said\n' })),
  );
  return id;
}

const isKnown = (id: number) =>
  tasks.at.coordinator.job(CALLER, String(id)).then(
    () => true,
    () => false,
  );
const hasLogs = (id: number) => existsSync(join(tasks.logs, String(id)));

describe('what goes', () => {
  test('ended jobs that are old enough, with logs, ends, events and keys; a dry run tells the same and changes nothing', async () => {
    const { at } = tasks;
    const old = await at.submit({ array: '0-2' }, 'key');
    await tasks.end(
      old,
      [0, 1, 2].map((position) => ({ position, stderr: 'said\n' })),
    );
    at.clock.pass(2 * DAY);
    const young = await endedJob();
    const live = await at.submit();
    const dry = await prune({ olderThanMs: DAY, dryRun: true });
    expect(dry).toMatchObject({ jobs: 1, tasks: 3, dryRun: true });
    expect(dry.bytes).toBeGreaterThan(3 * 5);
    expect([await isKnown(old), hasLogs(old)]).toEqual([true, true]);
    expect(await prune({ olderThanMs: DAY })).toEqual({ ...dry, dryRun: false });
    expect([await isKnown(old), hasLogs(old)]).toEqual([false, false]);
    expect([await isKnown(young), hasLogs(young), await isKnown(live)]).toEqual([true, true, true]);
    await at.restart();
    expect([await isKnown(old), await isKnown(young), await isKnown(live)]).toEqual([false, true, true]);
    expect(at.disk.content.ends.filter(({ jobId }) => jobId === old)).toEqual([]);
    const { events } = await at.coordinator.events(CALLER, { after: 0, limit: 1_000 });
    expect(events.filter(({ jobId }) => jobId === old)).toEqual([]);
    expect(events.map(({ text }) => text)).toContain('1 ended job with 3 tasks removed for ever');
    const again = await at.submit({ array: '0-2' }, 'key');
    expect(again).toBeGreaterThan(live);
  });

  test('the newest stay, and only those that are named go', async () => {
    const ids = [await endedJob(), await endedJob(), await endedJob(), await endedJob()];
    expect(await prune({ keep: 1, ids: [ids[0]!, ids[3]!, 99] })).toMatchObject({ jobs: 1 });
    expect(await prune({ keep: 2 })).toMatchObject({ jobs: 1 });
    expect(await Promise.all(ids.map(isKnown))).toEqual([false, false, true, true]);
    expect(await prune({ keep: 5 })).toMatchObject({ jobs: 0, tasks: 0, bytes: 0 });
  });

  test('a large job goes in pieces, many jobs in many commits', async () => {
    const { at } = tasks;
    const id = await at.submit({ array: '0-29999', hold: true });
    await at.coordinator.cancel(CALLER, String(id), {});
    for (let n = 0; n < 40; n++) {
      at.disk.content.ends.push({
        id: 1_000 + n,
        jobId: id,
        minPosition: n,
        maxPosition: n,
        count: 1,
        bad: 1,
        data: new Uint8Array(),
      });
    }
    const many = Array.from({ length: 1_500 }, () => at.submit({ hold: true }));
    for (const one of await Promise.all(many)) await at.coordinator.cancel(CALLER, String(one), {});
    expect(await prune()).toMatchObject({ jobs: 1_501, tasks: 31_500 });
    expect(at.disk.content.jobs.size).toBe(0);
    expect(at.disk.content.ends).toEqual([]);
  });
});

describe('what stays', () => {
  test('jobs that a live one waits for', async () => {
    const first = await endedJob(2, {}, 1);
    const then = await tasks.at.submit({ array: '0-1', after: `afterok:${first}`, invalidDependency: 'wait' });
    expect(await prune()).toMatchObject({ jobs: 0 });
    await tasks.at.restart();
    expect(await prune()).toMatchObject({ jobs: 0 });
    await tasks.at.coordinator.cancel(CALLER, String(then), {});
    expect(await prune()).toMatchObject({ jobs: 2 });
  });

  test('a job that is retried meanwhile', async () => {
    const { at } = tasks;
    const [a, b] = [await endedJob(1, {}, 1), await endedJob(1, {}, 1)];
    const pruned = prune();
    await at.coordinator.retry(CALLER, String(a), {}).catch(() => {});
    await pruned;
    await at.ledger.idle();
    // Either it was quick enough to live, with all that belongs to it, or it is gone.
    expect(at.disk.content.jobs.has(a)).toBe(at.ledger.memory.jobs.has(a));
    expect(await isKnown(b)).toBe(false);
    expect(at.fatal).toEqual([]);
  });

  test('followers of a job that is gone can still be run again', async () => {
    const { at } = tasks;
    const first = await endedJob(2);
    const any = await endedJob(2, { after: `afterany:${first}` }, 1);
    const corr = await endedJob(2, { after: `aftercorr:${first}` }, 1);
    await prune({ ids: [first] });
    at.evictAll();
    for (const id of [any, corr]) {
      expect(await at.coordinator.retry(CALLER, String(id), {})).toMatchObject({ tasks: 2 });
      expect(at.states(id)).not.toContain('blocked');
    }
    await expect(at.submit({ after: `afterok:${first}` })).rejects.toMatchObject({ code: 'DEPENDENCY_UNKNOWN_JOB' });
  });
});

describe('files', () => {
  test('of jobs that are gone from the store are swept by the next run; those of numbers not given yet are not ours', async () => {
    const id = await endedJob();
    for (const name of ['1', '700', 'lost+found']) mkdirSync(join(tasks.logs, name), { recursive: true });
    await prune();
    mkdirSync(join(tasks.logs, String(id)));
    writeFileSync(join(tasks.logs, String(id), '1-1-1.seg'), 'x'.repeat(500));
    expect(await prune({ dryRun: true })).toMatchObject({ jobs: 0, bytes: 500 });
    expect(await prune()).toMatchObject({ jobs: 0, bytes: 500 });
    expect(readdirSync(tasks.logs).toSorted()).toEqual(['700', 'blobs', 'lost+found']);
  });

  test('scripts and environments go when the last job that names them has gone, unless they are young', async () => {
    const { at } = tasks;
    const put = async (kind: 'script' | 'env' | 'stage', text: string, old = true) => {
      const { hash } = await at.coordinator.putBlob(CALLER, kind, Buffer.from(text));
      const past = (Date.now() - DAY) / 1000;
      if (old) utimesSync(join(tasks.logs, 'blobs', kind, hash), past, past);
      return hash;
    };
    const age = (kind: string, hash: string) => {
      const past = (Date.now() - DAY) / 1000;
      utimesSync(join(tasks.logs, 'blobs', kind, hash), past, past);
    };
    const shared = await put('script', 'shared');
    const env = await put('env', 'A=1');
    const run = (hash: string) => ({ run: { kind: 'script' as const, hash, name: 'a.sh', args: [] } });
    const first = await endedJob(1, { ...run(shared), envSnapshot: env });
    const second = await at.submit({ ...run(shared), hold: true });
    for (const [kind, hash] of [
      ['script', shared],
      ['env', env],
    ] as const)
      age(kind, hash);
    await put('script', 'unused', false);
    const before = await prune({ dryRun: true });
    const { bytes } = await prune();
    expect(bytes).toBe(before.bytes);
    const blobs = async () => (await at.ledger.ports.blobs.list()).map(({ kind, bytes: size }) => `${kind} ${size}`);
    expect((await blobs()).toSorted()).toEqual(['script 6', 'script 6']);
    await at.coordinator.cancel(CALLER, String(second), {});
    age('script', shared);
    await prune();
    expect(await blobs()).toEqual(['script 6']);
    expect(await isKnown(first)).toBe(false);
  });

  test('staged directories go with the last job that has them, all their pieces with them', async () => {
    const { at } = tasks;
    const past = (Date.now() - DAY) / 1000;
    const hashes = new Map<string, string>();
    const put = async (name: string, text: string) => {
      hashes.set(name, (await at.coordinator.putBlob(CALLER, 'stage', Buffer.from(text))).hash);
    };
    const age = () => {
      for (const hash of hashes.values()) utimesSync(join(tasks.logs, 'blobs', 'stage', hash), past, past);
    };
    for (const name of ['a', 'b', 'shared']) await put(name, `piece ${name}`);
    const list = (...names: string[]) =>
      JSON.stringify({ version: 1, pieces: names.map((name) => hashes.get(name)), bytes: 10 });
    await put('one', list('a', 'shared'));
    await put('two', list('b', 'shared'));
    await endedJob(1, { stage: hashes.get('one') });
    await at.submit({ stage: hashes.get('two'), hold: true });
    age();
    await prune();
    const left = (await at.ledger.ports.blobs.list()).map(({ hash }) => hash);
    expect(left.toSorted()).toEqual(['b', 'shared', 'two'].map((name) => hashes.get(name)).toSorted());
  });

  test('tables of parameters go with the last job that has them, all their pieces with them', async () => {
    const { at } = tasks;
    const past = (Date.now() - DAY) / 1000;
    const put = async (text: string | Uint8Array) => {
      const { hash } = await at.coordinator.putBlob(CALLER, 'params', Buffer.from(text));
      utimesSync(join(tasks.logs, 'blobs', 'params', hash), past, past);
      return hash;
    };
    const pieces = await Promise.all(['{"a":1}', '{"a":2}', '{"a":0}'].map(put));
    const table = (...of: number[]) =>
      put(writeParamTable({ version: 1, rows: of.length, pieces: of.map((piece) => [pieces[piece]!, 1]) }));
    const [gone, kept] = [await table(0, 2), await table(1, 2)];
    await endedJob(2, { array: '0-1', paramTable: gone });
    await at.submit({ array: '0-1', paramTable: kept, hold: true });
    // They were looked at, and are young again.
    for (const hash of [...pieces, gone, kept]) utimesSync(join(tasks.logs, 'blobs', 'params', hash), past, past);
    await prune();
    const left = (await at.ledger.ports.blobs.list()).map(({ hash }) => hash);
    expect(left.toSorted()).toEqual([pieces[1]!, pieces[2]!, kept].toSorted());
  });
});
