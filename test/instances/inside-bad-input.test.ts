import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folder, run } from './inside-command.ts';

const unit = 'expected a unit after each number (d, h, m, s or ms), found';
const duration = 'expected a duration as 90s, 5m or 1h30m, found';
const keys = 'ttl, idle-timeout, idle-cpu, on-complete, on-idle, completion-file, pre-stop, pre-stop-timeout';
const verbs = 'expected push, take, done or status, found';
const queueName = "NAME: expected at most 64 letters, digits, '.', '_' and '-', the first no '.', found";

/** What is written after `spored VERB: `; the exit code is 2 and nothing is changed. */
test.each<[string[], string]>([
  [['complete', '--status', 'done'], '--status: expected success or failed, found "done"'],
  [['complete', '-s', ''], '--status: expected success or failed, found ""'],
  [['complete', '-s', 'SUCCESS'], '--status: expected success or failed, found "SUCCESS"'],
  [['complete', '-s'], '--status: expected a value, found none'],
  [['complete', '-s', 'success', '--status=failed'], '--status: expected it once, found it twice'],
  [['complete', 'success'], 'expected no operand, found "success"'],
  [['complete', '--state', 'x'], 'unknown option "--state"; see: spored help complete'],
  [['complete', '-x'], 'unknown option "-x"; see: spored help complete'],
  [['complete', '-f', ''], '--file: expected a path, found ""'],
  [['complete', '-m', 'x'.repeat(4_097)], '--message: expected at most 4096 bytes, found 4097'],
  [['status', '-o', 'yaml'], '--output: expected text or json, found "yaml"'],
  [['status', '--check-complete=yes'], '--check-complete=yes: expected no value, found "yes"'],
  [['status', 'x'], 'expected no operand, found "x"'],
  [['wait-peers', '--timeout', '60'], `--timeout: ${unit} "60"`],
  [['wait-peers', '--timeout', 'soon'], `--timeout: ${duration} "soon"`],
  [['wait-peers', '--timeout', '1x'], `--timeout: ${unit} "1x"`],
  [['wait-peers', '--timeout', '-1s'], `--timeout: ${duration} "-1s"`],
  [['wait-peers', '--timeout', '1m1h'], '--timeout: expected the larger unit first, found "1m1h"'],
  [['wait-peers', '--timeout', '1s1s'], '--timeout: expected the larger unit first, found "1s1s"'],
  [
    ['wait-peers', '--timeout', '99999999999d'],
    '--timeout: expected a duration below 285,000 years, found "99999999999d"',
  ],
  [['wait-peers', '--timeout', ''], `--timeout: ${duration} ""`],
  [['wait-peers', '--timeout'], '--timeout: expected a value, found none'],
  [['wait-peers', '4'], 'expected no operand, found "4"'],
  [['config'], 'expected get, set or list, found none'],
  [['config', 'show'], 'expected get, set or list, found "show"'],
  [['config', 'list', 'ttl'], 'list: expected no more words, found "ttl"'],
  [['config', 'get'], 'get: expected a KEY, found none'],
  [['config', 'get', 'TTL'], `KEY: expected one of ${keys}, found "TTL"`],
  [['config', 'get', 'ttl', 'x'], 'get: expected no more words, found "x"'],
  [['config', 'set', 'ttl'], 'set: expected a VALUE for ttl, found none'],
  [['config', 'set', 'ttl', '4'], `ttl: ${unit} "4"`],
  [['config', 'set', 'idle-cpu', '101'], 'idle-cpu: expected a number from 0 to 100, found "101"'],
  [['config', 'set', 'idle-cpu', 'nan'], 'idle-cpu: expected a number from 0 to 100, found "nan"'],
  [['config', 'set', 'on-idle', 'none'], 'on-idle: expected one of stop, hibernate, terminate, found "none"'],
  [
    ['config', 'set', 'on-complete', 'exit'],
    'on-complete: expected one of none, terminate, stop, hibernate, found "exit"',
  ],
  [['config', 'set', 'completion-file', 'x'], 'completion-file: expected a path that begins with /, found "x"'],
  [['reload', 'now'], 'expected no operand, found "now"'],
  [['queue'], `${verbs} none`],
  [['queue', 'pop', 'q'], `${verbs} "pop"`],
  [['queue', 'take'], 'take: expected a NAME, found none'],
  [['queue', 'take', '../q'], `${queueName} "../q"`],
  [['queue', 'take', ''], `${queueName} ""`],
  [['queue', 'take', 'q'.repeat(65)], `${queueName} "${'q'.repeat(65)}"`],
  [['queue', 'take', 'q', 'x'], 'take: expected no more words, found "x"'],
  [['queue', 'take', 'q', '--wait', '5'], `--wait: ${unit} "5"`],
  [['queue', 'push', 'q', 'x', '--wait', '5s'], 'push: expected --wait with take only'],
  [['queue', 'done', 'q', '1', '-o', 'json'], 'done: expected --output with take and status only'],
  [['queue', 'push', 'q'], 'push: expected an ITEM, or - for standard input, found none'],
  [['queue', 'push', 'q', ''], 'ITEM: expected some text, found ""'],
  [['queue', 'push', 'q', 'a\nb'], 'ITEM: expected one line, found "a?b"'],
  [['queue', 'push', 'q', 'x'.repeat(65_537)], 'ITEM: expected at most 65536 bytes, found 65537'],
  [['queue', 'done', 'q'], 'done: expected an ID, found none'],
  [['queue', 'done', 'q', '0'], 'ID: expected a whole number from 1 on, found "0"'],
  [['queue', 'done', 'q', '1x'], 'ID: expected a whole number from 1 on, found "1x"'],
  [['queue', 'done', 'q', '1', '2'], 'done: expected no more words, found "2"'],
  [['rsh'], 'expected a HOST, found none'],
  [['rsh', '-Z', 'h'], 'expected options as of ssh, found others; see: spored help rsh'],
  [['rsh', '-l'], 'expected options as of ssh, found others; see: spored help rsh'],
  [['version', 'x'], 'expected no operand, found "x"'],
  [['help', 'queue', 'x'], 'expected one VERB, found "x" too'],
])('spored %j is refused', async (argv, says) => {
  expect(await run(argv)).toEqual({ code: 2, signal: null, out: '', err: `spored ${argv[0]}: ${says}\n` });
  expect(existsSync(join(folder, 'run/completion.json'))).toBe(false);
  expect(existsSync(join(folder, 'run/queue'))).toBe(false);
});

test('an unknown verb, and none', async () => {
  expect(await run(['compleet'])).toMatchObject({
    code: 2,
    err: 'spored: unknown verb "compleet"; see: spored help\n',
  });
  expect(await run([])).toMatchObject({ code: 2, err: expect.stringMatching(/^usage: spored VERB/) });
});

test.each(['complete', 'status', 'wait-peers', 'config', 'reload', 'queue', 'rsh', 'boot'])(
  'help of %s',
  async (verb) => {
    const { code, out } = await run(['help', verb]);
    expect([code, out.split('\n')[0]]).toEqual([0, expect.stringMatching(`^usage: spored ${verb}`)]);
    expect(await run([verb, '--help'])).toMatchObject({ code: 0, out });
  },
);

test.each([
  ['complete'],
  ['status'],
  ['status', '--check-complete'],
  ['wait-peers'],
  ['config', 'list'],
  ['reload'],
  ['queue', 'take', 'q'],
  ['rsh', 'h'],
  ['boot'],
])('outside of an instance %s %s ends with 3 and says why', async (...argv) => {
  const nowhere = { SPAWN_RUN_DIR: join(folder, 'no'), SPAWN_ETC_DIR: join(folder, 'no') };
  const { code, err } = await run(argv, nowhere);
  expect([code, err]).toEqual([
    3,
    `spored ${argv[0]}: expected to be inside an instance, found no ${folder}/no here\n`,
  ]);
});
