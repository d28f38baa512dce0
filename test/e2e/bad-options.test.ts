import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeSandbox, type Sandbox } from '../support/sandbox.ts';

let box: Sandbox;
beforeAll(async () => {
  box = makeSandbox();
  const file = (name: string, text: string) => writeFileSync(join(box.folder, name), text);
  file('bad.env', 'A=1\nnonsense\n');
  file('quote.env', 'A="never closed\n');
  file('own.env', 'SPAWN_ATTEMPT=1\n');
  file('cut.json', '{"cpus": 2,\n "run": \n');
  file('list.json', '[1]');
  file('type.json', '{"run": {"kind": "shell", "text": "x"}, "cpus": "2"}');
  file('field.json', '{"run": {"kind": "shell", "text": "x"}, "cpu": 2}');
  file('kind.json', '{"run": {"kind": "sh", "text": "x"}}');
  file('none.json', '{"cpus": 2}');
  mkdirSync(join(box.folder, 'sub'));
});
afterAll(() => box.close());

const caret = (message: string, text: string, at: number) => `${message}\n  ${text}\n  ${' '.repeat(at)}^`;
const retries = ['--retries', '1', '--retry-delay', '1s'];
const x = ['--', 'x'];
const time = 'expected a time as 2027-01-31T18:00, 2027-01-31T18:00Z, now+1h or 1h, found';
const gpus = '--gpus: expected a whole number up to 1024, or a fraction below 1 with at most 4 decimals, found';
const amount = '--resource: expected an amount from 0 to 1000000000000 with at most 4 decimals, found';
const named = '--resource: expected NAME=AMOUNT, the name a letter, then letters, digits, ".", "_" or "-", found';
const signal = '--signal: expected [B:]SIGNAL[@SECONDS], the signal as USR1, SIGUSR1 or 10 (1 to 64), found';
const pattern =
  'expected %A %a %j %J %x %u %N %b %n %t %s or %%, with a width of 1 to 10 before the letter (%4a), found';

/** Command line and all that is written after `spawn: `; the exit code is 2. */
type Line = readonly [readonly string[], string];

const submits: readonly Line[] = [
  [['--gpus', '1.5'], `${gpus} "1.5"`],
  [['--gpus', 'two'], `${gpus} "two"`],
  [['--gpus', '-1'], `${gpus} "-1"`],
  [['--resource', 'licence'], `${named} "licence"`],
  [['--resource', '2x=1'], `${named} "2x=1"`],
  [['--resource', 'x=lots'], `${amount} "x=lots"`],
  [['--resource', 'x=-1'], `${amount} "x=-1"`],
  [['--resource', 'x=1', '--resource', 'x=1'], 'submit: --resource: expected x once, found twice'],
  [['--retry-backoff', 'linear'], '--retry-backoff: expected fixed or exponential, found "linear"'],
  [['--retry-backoff', 'fixed'], 'submit: --retry-backoff: expected --retries with it, found none'],
  [
    ['--retries', '2', '--retry-backoff', 'fixed'],
    'submit: --retry-backoff: expected --retry-delay with it, found none',
  ],
  [['--retry-jitter', '1.5', ...retries], '--retry-jitter: expected a number from 0 to 1, or 0% to 100%, found "1.5"'],
  [['--retry-jitter', '-1', ...retries], '--retry-jitter: expected a number from 0 to 1, or 0% to 100%, found "-1"'],
  [
    ['--retry-max-delay', '5', ...retries],
    caret(
      '--retry-max-delay: duration, column 2: expected a unit: d, h, m, s or ms (as in 5s, 5m), found the end',
      '5',
      1,
    ),
  ],
  [
    ['--retry-on', '300', ...retries],
    caret('--retry-on: filter, column 1: expected an exit code (1 to 255), found "300"', '300', 0),
  ],
  [
    ['--no-retry-on', '1,,2', ...retries],
    caret(
      '--no-retry-on: filter, column 3: expected an exit code (1 to 255), a signal as SIGKILL, exit=, signal=, cause=, or one of exit, signal, oom, time-limit or stalled (lost, preempted and cancelled are no failures), found ","',
      '1,,2',
      2,
    ),
  ],
  [['--retry-on', '1'], 'submit: --retry-on: expected --retries with it, found none'],
  [['--begin', 'tomorrow'], `--begin: ${time} "tomorrow"`],
  [['--begin', '18:00'], `--begin: ${time} "18:00"`],
  [['--begin', '2027-02-30'], '--begin: expected a day of the calendar, found "2027-02-30"'],
  [['--begin', '2027-01-01T25:00'], '--begin: expected a time from 00:00:00 to 23:59:59, found "2027-01-01T25:00"'],
  [['--begin', 'now+5x'], caret('--begin: duration, column 2: expected a unit: d, h, m, s or ms, found "x"', '5x', 1)],
  [['--deadline', 'now'], '--deadline: expected a time that is to come, found "now"'],
  [['--deadline', '20000d'], '--deadline: expected at most 3660d, found "20000d"'],
  [['--begin', '2h', '--deadline', '1h'], 'submit: --deadline: expected a time after --begin, found none'],
  [['--env-file', 'none.env'], '--env-file: file "none.env" not found'],
  [['--env-file', 'sub'], '--env-file: file "sub" cannot be read: it is a directory'],
  [['--env-file', 'bad.env'], 'bad.env:2: expected KEY=VALUE, found no "="'],
  [['--env-file', 'quote.env'], 'quote.env:1: expected a closing ", found the end of the file'],
  [
    ['--env-file', 'own.env'],
    'own.env:1: expected a variable that spawn does not set for each task, found "SPAWN_ATTEMPT"',
  ],
  [['--output', ''], '--output: expected a file name, found ""'],
  [['--output', 'logs/%q.txt'], `--output: ${pattern} "%q"`],
  [['--error', 'logs/%11a.txt'], `--error: ${pattern} "%11a"`],
  [['--open-mode', 'append'], 'submit: --open-mode: expected --output or --error with it, found none'],
  [['--open-mode', 'overwrite', '--output', 'o'], '--open-mode: expected truncate or append, found "overwrite"'],
  [['--signal', 'HELLO', '--time-limit', '1h'], `${signal} "HELLO"`],
  [['--signal', 'B:', '--time-limit', '1h'], `${signal} "B:"`],
  [['--signal', '65', '--time-limit', '1h'], `${signal} "65"`],
  [['--signal', 'USR1'], 'submit: --signal: expected --time-limit with it, found none'],
  [
    ['--signal', 'USR1@3600', '--time-limit', '1h'],
    'submit: --signal: expected a time shorter than --time-limit, found one that is not',
  ],
  [['--canary', '0'], '--canary: expected a whole number from 1 to 10000, found "0"'],
  [['--spec', 'none-there.json'], '--spec: file "none-there.json" not found'],
  [['--spec', 'cut.json'], 'cut.json:3:1: expected a value, found the end'],
  [['--spec', 'list.json'], 'list.json: expected a JSON object, found [1]'],
  [['--spec', 'type.json'], 'type.json: spec.cpus: expected a number, found "2"'],
  [['--spec', 'field.json'], 'field.json: spec.cpu: expected no field of this name, found 2'],
];

const others: readonly Line[] = [
  [
    ['submit', '--spec', 'kind.json'],
    'kind.json: spec.run.kind: expected "argv", "shell", "script" or "handler", found "sh"',
  ],
  [
    ['submit', '--spec', 'none.json'],
    'none.json: spec.run: expected what to run, there or on the command line, found nothing; see: spawn help submit',
  ],
  [['submit', '--spec', '-'], '(standard input):1:1: expected a value, found the end'],
  [['cancel'], 'cancel: expected JOB|TASK or --name, found nothing; see: spawn help cancel'],
  [['cancel', '1', '--name', 'fit'], 'cancel: expected JOB|TASK or --name, found "1" and --name'],
  [
    ['cancel', '--name', '12'],
    '--name: name "12": expected no number, task id or range: it would be read as one; put a letter first',
  ],
  [
    ['hold', '1', '--state', 'waiting'],
    '--state: expected blocked, ready, leased, running, completed, failed, cancelled, skipped, found "waiting"',
  ],
  [
    ['requeue', '1', '--where', 'exit=x'],
    caret('--where: filter, column 6: expected an exit code (0 to 255), found "x"', 'exit=x', 5),
  ],
  [['retry', '1', '--memory', 'x0'], '--memory: expected x and a number above 0 and up to 1000, found "x0"'],
  [
    ['retry', '1', '--failed', '--state', 'lost'],
    '--state: expected blocked, ready, leased, running, completed, failed, cancelled, skipped, found "lost"',
  ],
  [['retry', '1', '--failed', '--state', 'failed'], 'retry: expected --failed or --state, found both'],
  [['signal', '1', '-s', 'USR3'], '-s: expected USR1, SIGUSR1 or 10 (1 to 64), found "USR3"'],
  [['signal', '1', '--main'], 'signal: expected --signal SIG, found none'],
  [['retry', '1_2', '--index', '3'], 'retry: expected a whole job with --index, found tasks of job 1'],
  [['update', '1_2', '--throttle', '3'], 'update: --throttle: expected a whole job, found tasks of job 1'],
  [['update', '1', '--begin', 'never'], `--begin: ${time} "never"`],
  [['update', '1', '--max-failures', '-1'], '--max-failures: expected a whole number from 0 to 1000000000, found "-1"'],
  [['watch', '1'], 'watch: expected a terminal to draw on, found none; see: spawn status 1 or spawn wait 1'],
  [['why'], 'why: expected JOB|TASK, found nothing; see: spawn help why'],
  [['why', '1_[1-2]'], 'why: expected a job or a single task, as 12_7, found "1_[1-2]"'],
  [['events', '--follow', '-o', 'json'], 'events: expected -o jsonl with --follow, found -o json, which has an end'],
  [['events', '--after', 'x'], '--after: expected a whole number from 0 to 9007199254740991, found "x"'],
  [
    ['logs', '1', '--grep', '['],
    '--grep: expected a regular expression of JavaScript (unterminated character class), found "["',
  ],
  [['logs', '1', '--grep', 'a', '--follow'], 'logs: expected --follow or --grep, found both'],
  [['logs', '1', '-i'], 'logs: --ignore-case: expected --grep with it, found none'],
  [['logs', '1_2', '--diff'], 'logs: --diff: expected a whole job, found tasks of it'],
  [['logs', '1', '-o', 'json'], 'logs: -o: expected --grep or --diff with it, found none'],
  [['export', '1_2'], 'export: expected a whole job, as 12 or a name, found "1_2"'],
  [['prune'], 'prune: expected --older-than, --keep or JOB, found nothing; see: spawn help prune'],
  [
    ['prune', '--older-than', 'week'],
    caret(
      '--older-than: duration, column 1: expected a whole number with a unit, as 90s, 5m or 1h30m, found "week"',
      'week',
      0,
    ),
  ],
  [['config', 'gte', 'server'], 'config: expected list, get, set, unset or path, found "gte"; did you mean "get"?'],
  [['config', 'set', 'server', 'here'], 'config: server: expected http://HOST:PORT or https://HOST:PORT, found "here"'],
  [
    ['config', 'set', 'token', 's3cret'],
    'config: token: expected token_file, the path of a file that holds it: a secret is no setting',
  ],
  [['doctor', 'please'], 'doctor: expected no argument, found "please" too'],
  [['completion', 'csh'], 'completion: expected bash or zsh or fish, found "csh"; did you mean "zsh"?'],
];

describe('what is wrong in itself is refused before a coordinator is started', () => {
  const lines = [...submits.map(([words, message]): Line => [['submit', ...words, ...x], message]), ...others];

  test.each(lines)('%j', async (words, message) => {
    const ran = await box.spawn(words, { input: '' });
    expect(ran).toMatchObject({ code: 2, out: '', err: `spawn: ${message}\n` });
    expect(box.processes()).toEqual([]);
  });

  test('they are as many as promised', () => {
    expect(lines.length).toBeGreaterThanOrEqual(60);
  });
});
