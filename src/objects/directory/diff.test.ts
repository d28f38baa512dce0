import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type WrittenOutput, writeSearched } from '../../../test/support/searched-logs.ts';
import { LogStream } from '../../core/log-record.ts';
import type { LogReader } from '../log-reader.ts';
import { openSegments } from './segments.ts';

const FAILED = 1;
const COMPLETED = 2;
const QUERY = { stream: 'both', limit: 100 } as const;
const never = new AbortController().signal;

let logs: string;
let reader: LogReader;

beforeEach(() => {
  logs = mkdtempSync(join(tmpdir(), 'spawn-diff-'));
  mkdirSync(join(logs, '12'));
  reader = openSegments(logs);
});
afterEach(() => rmSync(logs, { recursive: true }));

const out = (task: number, data: string, rolls = false): WrittenOutput => ({
  task,
  stream: LogStream.STDOUT,
  data,
  rolls,
});

test('counts a line once for each failed task, however often it comes and wherever it is cut', async () => {
  const records = [
    out(0, 'usual 1\nbad\nbad\nna'),
    out(1, 'usual 2\nba', true),
    out(2, 'usual 3\nnaive\n'),
    out(1, 'd\n'),
    out(0, 'ive\nbad\nlast'),
  ];
  const which = writeSearched(join(logs, '12'), records, 3);
  const groups = { ...which, wanted: Uint8Array.of(FAILED, FAILED, COMPLETED) };
  expect(await reader.diff(12, groups, QUERY, never)).toEqual({
    lines: [
      { text: 'bad', tasks: 2, example: '12_10' },
      { text: 'last', tasks: 1, example: '12_10' },
    ],
    failedRead: 2,
    completedRead: 1,
    sampled: false,
  });
});

test('of many tasks is that of a sample from all over them, and says so', async () => {
  const records = Array.from({ length: 5_000 }, (_, task) =>
    out(task, `line ${task}\n${task < 2_500 ? 'early' : 'late'}\n`),
  );
  const which = writeSearched(join(logs, '12'), records, 5_000);
  const diff = await reader.diff(12, { ...which, wanted: new Uint8Array(5_000).fill(FAILED) }, QUERY, never);
  expect(diff).toMatchObject({ failedRead: 2_000, completedRead: 0, sampled: true });
  expect(diff.lines.map(({ text, tasks }) => [text, tasks])).toEqual([
    ['line <n>', 2_000],
    ['early', 1_000],
    ['late', 1_000],
  ]);
});

test('of nothing is nothing', async () => {
  const which = writeSearched(join(logs, '12'), [], 2);
  expect(await reader.diff(12, { ...which, wanted: new Uint8Array(2) }, QUERY, never)).toEqual({
    lines: [],
    failedRead: 0,
    completedRead: 0,
    sampled: false,
  });
});
