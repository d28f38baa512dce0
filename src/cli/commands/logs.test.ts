import { describe, expect, test } from 'vitest';
import { aJob, aTask, runCli } from '../../../test/support/cli-world.ts';
import { logBytes, noteData, type WrittenRecord } from '../../../test/support/log-bytes.ts';
import type { LogQueryInput } from '../../api/job.ts';
import { SpawnError } from '../../core/errors.ts';
import { LogStream } from '../../core/log-record.ts';

function client(records: readonly WrittenRecord[], job = aJob()) {
  return {
    job: async () => job,
    logs: async function* () {
      const bytes = logBytes(...records);
      for (let at = 0; at < bytes.length; at += 7) yield bytes.slice(at, at + 7);
    },
  };
}

describe('of one task', () => {
  const records = [
    { position: 7, data: 'a\nb' },
    { position: 7, stream: LogStream.STDERR, data: 'oh' },
    { position: 7, stream: LogStream.NOTE, data: noteData('5 bytes were cut here') },
    { position: 7, data: '\n' },
  ];

  test('its own bytes and nothing else; what is missing on standard error', async () => {
    expect(await runCli(['logs', '12_7'], { client: client(records) })).toMatchObject({
      code: 0,
      out: 'a\nboh\n',
      err: 'spawn: 12_7: (5 bytes were cut here)\n',
    });
  });

  test('also when the job has only one, and on a terminal', async () => {
    const one = client([{ data: 'x' }], aJob({ size: 1 }));
    expect((await runCli(['logs', '12'], { client: one, tty: true })).out).toBe('x');
  });
});

test('of several tasks: whole lines with their index, also where indices are not positions', async () => {
  const records = [
    { position: 0, data: 'a' },
    { position: 2, data: 'c\n' },
    { position: 0, data: '\n' },
  ];
  const { out } = await runCli(['logs', '12'], { client: client(records, aJob({ array: '5,10,20-26', size: 9 })) });
  expect(out).toBe('[20] c\n[5] a\n');
});

test.each([
  [[], { stream: 'both', follow: '0' }],
  [['--stdout'], { stream: 'out' }],
  [['--stderr'], { stream: 'err' }],
  [['--stdout', '--stderr'], { stream: 'both' }],
  [['--attempt', '2'], { attempt: 2 }],
  [['--index', '1-3'], { index: '1-3' }],
])('%j asks for %j', async (words, query) => {
  const { calls } = await runCli(['logs', '12', ...words], { client: client([]) });
  expect(calls.find(([name]) => name === 'logs')).toMatchObject(['logs', '12', query, {}]);
});

test('--follow outlives the coordinator: nothing twice, nothing missing', async () => {
  const first = [
    { position: 0, data: '1\n' },
    { position: 1, data: 'one\n' },
    { position: 0, data: '2\n' },
  ];
  const second = [
    { position: 1, data: 'one\n' },
    { position: 1, data: 'two\n' },
    { position: 0, data: '1\n' },
    { position: 0, data: '2\n' },
    { position: 0, data: '3\n' },
  ];
  let tries = 0;
  const logs = async function* (_: string, query: LogQueryInput) {
    expect(query.follow).toBe('1');
    tries += 1;
    yield logBytes(...(tries === 1 ? first : second));
    if (tries === 1) throw new SpawnError('SERVER_UNREACHABLE', { address: 'x' });
  };
  const { out, code } = await runCli(['logs', '12', '-f'], { client: { job: async () => aJob(), logs } });
  expect(out).toBe('[0] 1\n[1] one\n[0] 2\n[1] two\n[0] 3\n');
  expect(code).toBe(0);
});

test('without --follow a lost connection is an error, not a log that looks whole', async () => {
  const logs = async function* () {
    yield logBytes({ position: 1, data: 'a\n' });
    throw new SpawnError('SERVER_UNREACHABLE', { address: 'x' });
  };
  expect(await runCli(['logs', '12_1'], { client: { job: async () => aJob(), logs } })).toMatchObject({
    code: 69,
    out: 'a\n',
    err: 'spawn: server x cannot be reached\n',
  });
});

test.each([
  [1, 'log of "12_1, attempt 2" not found: its last attempt is 1'],
  [0, 'log of "12_1, attempt 2" not found: it has not started'],
])('an attempt that a task has not had (it has had %d) is an error, not an empty log', async (attempt, message) => {
  const tasks = async () => ({ tasks: [aTask(1, { attempt })] });
  expect(await runCli(['logs', '12_1', '--attempt', '2'], { client: { ...client([]), tasks } })).toMatchObject({
    code: 66,
    err: `spawn: ${message}\n`,
  });
});
