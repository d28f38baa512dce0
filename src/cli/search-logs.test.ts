import { describe, expect, test } from 'vitest';
import { aJob, runCli } from '../../test/support/cli-world.ts';

const matches = [
  { index: 7, attempt: 1, stream: 'err' as const, text: 'an Error here\x1b[2J' },
  { index: 8, attempt: 2, stream: 'out' as const, text: 'error error' },
];
const client = {
  job: async () => aJob(),
  grep: async function* () {
    yield* matches;
  },
};

describe('logs --grep', () => {
  test('a line each, with its task', async () => {
    const { out, code } = await runCli(['logs', 'fit', '--grep', 'error'], { client });
    expect(code).toBe(0);
    expect(out).toBe('12_7: an Error here\x1b[2J\n12_8: error error\n');
  });

  test('on a terminal what fits is marked and nothing steers it', async () => {
    const { out } = await runCli(['logs', '12', '--grep', 'error', '-i'], { client, tty: true, colour: true });
    const red = (text: string) => `\x1b[31m${text}\x1b[0m`;
    expect(out).toBe(
      `\x1b[36m12_7:\x1b[0m an ${red('Error')} here·[2J\n\x1b[36m12_8:\x1b[0m ${red('error')} ${red('error')}\n`,
    );
  });

  test.each([
    [['--grep', 'a|b'], { pattern: 'a|b', ignoreCase: '0', stream: 'both' }],
    [['--grep', 'a', '-i', '--stderr'], { pattern: 'a', ignoreCase: '1', stream: 'err' }],
    [['--grep', 'a', '--state', 'failed', '--index', '3'], { index: '3', state: 'failed', stream: 'both' }],
  ])('%j', async (words, query) => {
    const { calls } = await runCli(['logs', '12', ...words], { client });
    expect(calls[1]).toMatchObject(['grep', '12', query]);
  });

  test('as JSON', async () => {
    const rows = [
      { task: '12_7', ...matches[0] },
      { task: '12_8', ...matches[1] },
    ];
    expect(JSON.parse((await runCli(['logs', '12', '--grep', 'e', '-o', 'json'], { client })).out)).toEqual(rows);
    const lines = (await runCli(['logs', '12', '--grep', 'e', '-o', 'jsonl'], { client })).out.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(rows);
  });

  test('nothing found: exit code 1, as grep(1)', async () => {
    const none = { ...client, grep: async function* () {} };
    expect(await runCli(['logs', '12', '--grep', 'e'], { client: none })).toMatchObject({ code: 1, out: '' });
  });
});

describe('logs --diff', () => {
  const reply = {
    lines: [{ text: 'bad\tluck', tasks: 1_200, example: '12_7' }],
    failedRead: 1_300,
    completedRead: 1,
    sampled: true,
  };
  const diff = { diffLogs: async () => reply };

  test('through a pipe', async () => {
    const { out, err, calls } = await runCli(['logs', '12', '--diff', '--stderr'], { client: diff });
    expect(calls).toEqual([['diffLogs', '12', { stream: 'err' }]]);
    expect(out).toBe('1200\t12_7\tbad\\tluck\n');
    expect(err).toBe(
      'spawn: 1,300 failed and 1 completed task read, a sample: a line may occur in completed tasks that were not\n',
    );
  });

  test('as JSON', async () => {
    expect(JSON.parse((await runCli(['logs', '12', '--diff', '-o', 'json'], { client: diff })).out)).toEqual({
      failed_read: 1_300,
      completed_read: 1,
      sampled: true,
      lines: reply.lines,
    });
  });
});

describe('refused', () => {
  test.each([
    [['--grep', '('], '--grep: expected a regular expression of JavaScript (unterminated group), found "("'],
    [['--grep', ''], '--grep: expected a regular expression, found ""'],
    [['--grep', 'x'.repeat(1_001)], '--grep: expected at most 1000 characters, found 1001'],
    [['--grep', 'a', '--follow'], 'logs: expected --follow or --grep, found both'],
    [['--grep', 'a', '--attempt', '1'], 'logs: expected --attempt or --grep, found both'],
    [['--diff', '--tail', '1'], 'logs: expected --tail or --diff, found both'],
    [['--diff', '--grep', 'a'], 'logs: expected --grep or --diff, found both'],
    [['--diff', '--state', 'failed'], 'logs: expected --state or --diff, found both'],
    [['--diff', '--index', '1'], 'logs: --diff: expected a whole job, found tasks of it'],
    [['-i'], 'logs: --ignore-case: expected --grep with it, found none'],
    [['-o', 'json'], 'logs: -o: expected --grep or --diff with it, found none'],
    [['--tail', '-1'], '--tail: expected a whole number from 0 to 1000000, found "-1"'],
  ])('%j', async (words, message) => {
    expect(await runCli(['logs', '12', ...words])).toMatchObject({ code: 2, err: `spawn: ${message}\n`, calls: [] });
  });
});
