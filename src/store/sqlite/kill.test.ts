import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { hasProgram, requireOr } from '../../../test/support/require.ts';
import { readNumberedBatches } from '../../../test/support/store-rows.ts';
import { openSqliteStore } from './open.ts';

const writer = new URL('../../../test/support/store-writer.ts', import.meta.url).pathname;
// Each round starts a process, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spawn-store-kill-'));
  path = join(folder, 'store.db');
});
afterEach(() => rm(folder, { recursive: true }));

/** Lets a process write to the store; `onAck` gets how many batches it has acknowledged. */
async function letWrite(first: number, onAck: (count: number, child: ChildProcess) => void, around: string[] = []) {
  const [program = '', ...args] = [...around, process.execPath, writer, path, String(first)];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const acknowledged: number[] = [];
  const other: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (/^\d+$/.test(line)) acknowledged.push(Number(line));
    else other.push(line);
    onAck(acknowledged.length, child);
  }
  return { acknowledged, other };
}

async function checkIntegrity(): Promise<void> {
  const db = new Database(path);
  expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
  db.close();
}

test('kill -9 at twenty random moments: all that was acknowledged is there, no batch in part, open at once', async () => {
  let last = 0;
  for (let round = 0; round < 20; round++) {
    const killAfter = Math.floor(Math.random() * 60);
    const { acknowledged, other } = await letWrite(last + 1, (count, child) => {
      if (count >= killAfter) child.kill('SIGKILL');
    });
    expect(other).toEqual(acknowledged.length > 0 ? [`open ${2 * round + 1}`] : expect.anything());
    const store = await openSqliteStore({ path });
    const found = await readNumberedBatches(store);
    expect(store.epoch).toBe(2 * round + 2);
    await store.close();
    // The last one may have been durable before it could be acknowledged.
    const sure = acknowledged.at(-1) ?? last;
    expect([sure, sure + 1]).toContain(found.length);
    expect(found).toEqual(Array.from(found, (_, at) => at + 1));
    last = found.length;
  }
  expect(last).toBeGreaterThan(0);
  await checkIntegrity();
});

requireOr('strace', hasProgram('strace'))(
  'a failed sync ends the store: every later call is refused, and what was acknowledged is found when it is opened again',
  async () => {
    const inject = ['strace', '-f', '-o', '/dev/null', '-e', 'trace=fsync,fdatasync'];
    const { acknowledged, other } = await letWrite(1, () => {}, [
      ...inject,
      '-e',
      'inject=fsync,fdatasync:error=EIO:when=40+',
    ]);
    expect(acknowledged.length).toBeGreaterThan(5);
    const refusal = /^STORE_FAILED .*store\.db: .*SQLITE_IOERR_FSYNC/;
    expect(other).toEqual(['open 1', ...Array(3).fill(expect.stringMatching(refusal))]);
    const store = await openSqliteStore({ path });
    const found = await readNumberedBatches(store);
    await store.close();
    expect([acknowledged.length, acknowledged.length + 1]).toContain(found.length);
    await checkIntegrity();
  },
);
