import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../test/support/until.ts';
import { SpawnError } from '../core/errors.ts';
import { openSegmentCopies } from '../objects/directory/segment-copies.ts';
import { LogShipper } from './shipper.ts';

let folder: string;
let failures: Error[];
let calls: number;
let said: string[];
let shipper: LogShipper;
let running: Promise<void> | undefined;
let jobs: number[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-ship-'));
  failures = [];
  said = [];
  calls = 0;
  running = undefined;
  jobs = [];
  const copies = openSegmentCopies(join(folder, 'there'));
  shipper = new LogShipper({
    sessionId: 7,
    logDir: join(folder, 'here'),
    running: () => jobs,
    log: (line) => said.push(line),
    client: {
      putLog: async (sessionId, jobId, segment, offset, bytes) => {
        calls++;
        const failure = failures.shift();
        if (failure !== undefined) throw failure;
        return { size: await copies.append({ sessionId, jobId, segment }, offset, bytes) };
      },
    },
  });
});

afterEach(async () => {
  await shipper.finish(0);
  await running;
  rmSync(folder, { recursive: true, force: true });
});

function write(job: number, name: string, content: string | Uint8Array): void {
  mkdirSync(join(folder, 'here', String(job)), { recursive: true });
  appendFileSync(join(folder, 'here', String(job), name), content);
}

const there = (job: number, name: string) => {
  const path = join(folder, 'there', String(job), name);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
};

test('sends what a running task writes, and what it had written when it ends', async () => {
  running = shipper.run();
  jobs = [1];
  write(1, '7-0-1.seg', 'first');
  await until('the first piece', () => there(1, '7-0-1.seg') === 'first');
  write(1, '7-0-1.seg', ' and more');
  write(1, '7-1-1.seg', 'of the next forker');
  jobs = [];
  shipper.ended(1);
  await until('the rest', () => there(1, '7-1-1.seg') === 'of the next forker');
  expect(there(1, '7-0-1.seg')).toBe('first and more');
});

test('leaves alone what is of other sessions or no segment', async () => {
  write(1, '8-0-1.seg', 'theirs');
  write(1, 'notes.txt', 'mine');
  write(1, '7-0-1.seg', 'ours');
  expect(await shipper.finish(1_000)).toBe(true);
  expect([there(1, '8-0-1.seg'), there(1, 'notes.txt'), there(1, '7-0-1.seg')]).toEqual([undefined, undefined, 'ours']);
});

test('sends a large segment in pieces', async () => {
  const whole = Buffer.alloc(5 * 1024 * 1024, 'line\n');
  write(3, '7-0-1.seg', whole);
  expect(await shipper.finish(10_000)).toBe(true);
  expect(there(3, '7-0-1.seg')).toBe(whole.toString());
  expect(calls).toBe(3);
});

test('tries again what did not arrive, and says so once', async () => {
  failures = [1, 2, 3].map(() => new SpawnError('SERVER_UNREACHABLE', { address: 'there' }));
  running = shipper.run();
  jobs = [1];
  write(1, '7-0-1.seg', 'text');
  await until('the text', () => there(1, '7-0-1.seg') === 'text');
  expect(said).toEqual(['logs cannot be shipped: server there cannot be reached; trying again']);
});

test('goes back to where the copy ends when that was cut short', async () => {
  running = shipper.run();
  jobs = [1];
  write(1, '7-0-1.seg', '0123456789');
  await until('the text', () => there(1, '7-0-1.seg') === '0123456789');
  writeFileSync(join(folder, 'there', '1', '7-0-1.seg'), '0123');
  write(1, '7-0-1.seg', 'abc');
  await until('all of it', () => there(1, '7-0-1.seg') === '0123456789abc');
});

test('removes a job that is over once the server has it', async () => {
  running = shipper.run();
  failures = [new SpawnError('STORE_FULL')];
  write(1, '7-0-1.seg', 'text');
  jobs = [];
  shipper.ended(1);
  shipper.forget(1);
  await until('nothing is left', () => !existsSync(join(folder, 'here', '1')));
  expect(there(1, '7-0-1.seg')).toBe('text');
});

test('a job that comes back gets no segment number that the server knows', async () => {
  running = shipper.run();
  write(1, '7-3-1.seg', 'first');
  write(1, '7-3-2.seg', 'second');
  write(1, '7-65535-1.seg', 'result');
  shipper.forget(1);
  await until('nothing is left', () => !existsSync(join(folder, 'here', '1')));
  shipper.known(1);
  const names = ['7-3-1.seg', '7-3-2.seg', '7-65535-1.seg'];
  const taken = names.map((name) => readFileSync(join(folder, 'here', '1', name), 'utf8'));
  expect(taken).toEqual(['', '', '']);
  write(1, '7-3-3.seg', 'third');
  shipper.ended(1);
  await until('the third', () => there(1, '7-3-3.seg') === 'third');
  expect([there(1, '7-3-1.seg'), there(1, '7-3-2.seg')]).toEqual(['first', 'second']);
  shipper.forget(1);
  await until('nothing is left again', () => !existsSync(join(folder, 'here', '1')));
  shipper.known(1);
  expect(existsSync(join(folder, 'here', '1', '7-3-3.seg'))).toBe(true);
});

test('a job that comes back before its logs were sent keeps its folder', async () => {
  failures = [new SpawnError('SERVER_UNREACHABLE', { address: 'there' })];
  running = shipper.run();
  write(1, '7-0-1.seg', 'text');
  shipper.forget(1);
  await until('the first try failed', () => said.length > 0);
  shipper.known(1);
  await until('the text', () => there(1, '7-0-1.seg') === 'text');
  write(1, '7-0-1.seg', ' and more');
  shipper.ended(1);
  await until('the rest', () => there(1, '7-0-1.seg') === 'text and more');
});

test('lets go of what the server does not want any more', async () => {
  failures = [new SpawnError('JOB_NOT_FOUND', { ref: '1' })];
  write(1, '7-0-1.seg', 'text');
  shipper.forget(1);
  expect(await shipper.finish(1_000)).toBe(true);
  expect(existsSync(join(folder, 'here', '1'))).toBe(false);
  expect(there(1, '7-0-1.seg')).toBeUndefined();
});

test('gives up waiting at the end, and says that something is missing', async () => {
  failures = Array.from({ length: 100 }, () => new SpawnError('SERVER_UNREACHABLE', { address: 'there' }));
  write(1, '7-0-1.seg', 'text');
  expect(await shipper.finish(300)).toBe(false);
});
