import { chmodSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeSandbox, type Sandbox } from '../support/sandbox.ts';

let box: Sandbox;
beforeAll(async () => {
  box = makeSandbox();
  const file = (name: string, text: string) => writeFileSync(join(box.folder, name), text);
  file('empty.sh', '');
  file('windows.sh', '#!/bin/sh\r\ntrue\r\n');
  file('program', '\x7fELF\x02\x01\x01\0\0\0');
  file('large.sh', '');
  truncateSync(join(box.folder, 'large.sh'), 16 * 1024 ** 2 + 1);
  file('secret.sh', 'true');
  chmodSync(join(box.folder, 'secret.sh'), 0o000);
  mkdirSync(join(box.folder, 'sub'));
});
afterAll(() => box.close());

const folder = () => box.folder;
const caret = (message: string, text: string, at: number) => `${message}\n  ${text}\n  ${' '.repeat(at)}^`;

/** Command line, exit code, and all that is written after `spawn: `. */
type Line = readonly [readonly string[], number, string];

const beforeAnyServer: readonly Line[] = [
  [['lsit'], 2, 'unknown command "lsit"; did you mean "list"?'],
  [['frobnicate'], 2, 'unknown command "frobnicate"; see: spawn --help'],
  [['--all', 'list'], 2, 'unknown option "--all"; see: spawn --help'],
  [['help', 'lst'], 2, 'unknown command "lst"; did you mean "list"?'],
  [['jobs', '--al'], 2, 'jobs: unknown option "--al"; did you mean "--all"?'],
  [['jobs', '--frobnicate'], 2, 'jobs: unknown option "--frobnicate"; see: spawn help jobs'],
  [['jobs', '-o', 'yaml'], 2, '-o: expected json, found "yaml"'],
  [['jobs', '-o'], 2, '-o: expected a value (FORMAT), found nothing'],
  [['jobs', '12'], 2, 'jobs: expected no argument, found "12" too'],
  [['submit', '--arry', '3', '--', 'x'], 2, 'submit: unknown option "--arry"; did you mean "--array"?'],
  [['submit', '--hold=yes', '--', 'x'], 2, '--hold: expected no value, found "--hold=yes"'],
  [['submit', '--name', '--hold', '--', 'x'], 2, '--name: expected a value (NAME), found nothing'],
  [['submit', '--name', 'a', '--name', 'b', '--', 'x'], 2, '--name: expected once, found twice'],
  [
    ['submit', '--array', '5-1', '--', 'x'],
    2,
    caret('--array: index set, column 3: expected an end of at least 5, found "1"', '5-1', 2),
  ],
  [
    ['submit', '--array', '0-9:0', '--', 'x'],
    2,
    caret('--array: index set, column 5: expected a step of at least 1, found "0"', '0-9:0', 4),
  ],
  [
    ['submit', '--array', '-3', '--', 'x'],
    2,
    caret('--array: index set, column 1: expected an index (0 to 4294967294), found "-"', '-3', 0),
  ],
  [
    ['submit', '--array', '1,,2', '--', 'x'],
    2,
    caret('--array: index set, column 3: expected an index (0 to 4294967294), found ","', '1,,2', 2),
  ],
  [
    ['submit', '--array', '1-5%x', '--', 'x'],
    2,
    caret('--array: index set, column 5: expected how many tasks may run at once, as %50, found "x"', '1-5%x', 4),
  ],
  [
    ['submit', '--array', '', '--', 'x'],
    2,
    caret('--array: index set, column 1: expected an index (0 to 4294967294), found the end', '', 0),
  ],
  [
    ['submit', '--name', '12', '--', 'x'],
    2,
    '--name: name "12": expected no number, task id or range: it would be read as one; put a letter first',
  ],
  [['submit', '--name', 'a b', '--', 'x'], 2, '--name: name "a b": expected only letters, digits, ".", "_" and "-"'],
  [['submit', '--cpus', '0', '--', 'x'], 2, '--cpus: expected a number above 0 and up to 4096, found "0"'],
  [['submit', '--cpus', 'two', '--', 'x'], 2, '--cpus: expected a number above 0 and up to 4096, found "two"'],
  [
    ['submit', '--memory', 'lots', '--', 'x'],
    2,
    caret(
      '--memory: amount of bytes, column 1: expected a whole number with a unit, as 512M or 4G, found "lots"',
      'lots',
      0,
    ),
  ],
  [
    ['submit', '--memory', '5', '--', 'x'],
    2,
    caret(
      '--memory: amount of bytes, column 2: expected a unit: B, K, M, G or T (5M is mebibytes), found the end',
      '5',
      1,
    ),
  ],
  [
    ['submit', '--time-limit', '5x', '--', 'x'],
    2,
    caret('--time-limit: duration, column 2: expected a unit: d, h, m, s or ms, found "x"', '5x', 1),
  ],
  [['submit', '--time-limit', '20000d', '--', 'x'], 2, '--time-limit: expected at most 3660d, found "20000d"'],
  [['submit', '--retries', '-1', '--', 'x'], 2, '--retries: expected a whole number from 0 to 1000, found "-1"'],
  [['submit', '--retries', '1.5', '--', 'x'], 2, '--retries: expected a whole number from 0 to 1000, found "1.5"'],
  [['submit', '--retry-delay', '5s', '--', 'x'], 2, 'submit: --retry-delay: expected --retries with it, found none'],
  [
    ['submit', '--max-failures', 'none', '--', 'x'],
    2,
    '--max-failures: expected a whole number from 0 to 1000000000, found "none"',
  ],
  [
    ['submit', '--priority', 'high', '--', 'x'],
    2,
    '--priority: expected a whole number from -1000000 to 1000000, found "high"',
  ],
  [
    ['submit', '--after', 'before:1', '--', 'x'],
    2,
    caret(
      '--after: dependency, column 1: expected after, afterany, afterok, afternotok, aftercorr, singleton or a job number, found "before"',
      'before:1',
      0,
    ),
  ],
  [
    ['submit', '--after', 'afterok:1,afterok:2?afterok:3', '--', 'x'],
    2,
    caret(
      '--after: dependency, column 20: expected "," as before: a list is all "," (and) or all "?" (or), found "?"',
      'afterok:1,afterok:2?afterok:3',
      19,
    ),
  ],
  [['submit', '--env', '=1', '--', 'x'], 2, '--env: expected K=V or K, found "=1"'],
  [
    ['submit', '--env', 'NOT_SET_HERE', '--', 'x'],
    2,
    '--env: expected a variable that is set here, or K=V, found "NOT_SET_HERE"',
  ],
  [
    ['submit', '--env', 'TASK_ARRAY_INDEX=1', '--', 'x'],
    2,
    '--env: expected a variable that spawn does not set for each task, found "TASK_ARRAY_INDEX=1"',
  ],
  [
    ['submit', '--cwd', '/no/such/folder', '--', 'x'],
    2,
    '--cwd: expected a directory that exists, found "/no/such/folder"',
  ],
  [['submit', '--cwd', '/dev/null', '--', 'x'], 2, '--cwd: expected a directory, found "/dev/null"'],
  [['submit', '--command', '', '--wait'], 2, '--command: expected a command line, found ""'],
  [['submit', '--command', 'ls', '--', 'x'], 2, 'submit: expected --command alone, found "x" too'],
  [['submit', '--dry-run', '--wait', '--', 'x'], 2, 'submit: expected --dry-run or --wait, found both'],
  [['submit', '--follow', '--quiet', '--', 'x'], 2, 'submit: expected --follow or --quiet, found both'],
  [['submit', '--'], 2, 'submit: expected a program after "--", found nothing'],
  [['submit'], 2, 'submit: standard input: expected a script, found nothing in it'],
  [
    ['submit', 'python', 'x.py'],
    2,
    `script: file "FOLDER/python" not found; to run a program: spawn submit [options] -- python …`,
  ],
  [['submit', './sub/none.sh'], 2, 'script: file "FOLDER/sub/none.sh" not found'],
  [['submit', './sub'], 2, 'script: file "FOLDER/sub" cannot be read: it is a directory'],
  [
    ['submit', '/dev/null'],
    2,
    'script: file "/dev/null" cannot be read: it is not a regular file; give its text on standard input',
  ],
  [['submit', 'empty.sh'], 2, 'script FOLDER/empty.sh: expected a script, found nothing in it'],
  [
    ['submit', 'windows.sh'],
    2,
    'script FOLDER/windows.sh: expected a first line that ends in LF, found CR LF, as Windows writes it',
  ],
  [
    ['submit', 'program'],
    2,
    'script FOLDER/program: expected text or a #! line, found a binary file; to run a program: spawn submit [options] -- PROGRAM',
  ],
  [['submit', 'large.sh'], 2, 'script FOLDER/large.sh: expected at most 16777216 bytes, found 16777217'],
  [['tasks'], 2, 'tasks: expected JOB|TASK, found nothing; see: spawn help tasks'],
  [['tasks', '1', '2'], 2, 'tasks: expected only one JOB|TASK, found "2" too'],
  [
    ['tasks', '1', '--state', 'faild'],
    2,
    '--state: expected blocked, ready, leased, running, completed, failed, cancelled, skipped, found "faild"; did you mean "failed"?',
  ],
  [['tasks', '1_2', '--index', '3'], 2, 'tasks: expected a whole job with --index, found tasks of job 1'],
  [['tasks', '1', '--limit', '0'], 2, '--limit: expected a whole number from 1 to 1000000000, found "0"'],
  [['logs', '1', '--attempt', '0'], 2, '--attempt: expected a whole number from 1 to 1000000, found "0"'],
  [['cancel', '12', '1_'], 2, caret('cancel: job, column 3: expected an index, "[" or "*", found the end', '1_', 2)],
  [['cancel', '1_[5-2]'], 2, caret('cancel: job, column 6: expected an end of at least 5, found "2"', '1_[5-2]', 5)],
  [
    ['cancel', '0'],
    2,
    caret('cancel: job, column 1: expected a job as 12, 12_7, 12_[1,3-5], or a name, found "0"', '0', 0),
  ],
  [['hold', '-5'], 2, 'hold: unknown option "-5"; see: spawn help hold'],
  [['wait', '1_2'], 2, 'wait: expected a whole job, as 12 or a name, found "1_2"'],
  [
    ['wait', '1', '--timeout', '5'],
    2,
    caret('--timeout: duration, column 2: expected a unit: d, h, m, s or ms (as in 5s, 5m), found the end', '5', 1),
  ],
  [
    ['update', '1'],
    2,
    'update: expected something to change, as --throttle or --priority, found nothing; see: spawn help update',
  ],
  [['server', 'strat'], 2, 'server: expected start or stop or status, found "strat"; did you mean "start"?'],
  [['server', 'stop', '--foreground'], 2, 'server stop: expected --foreground with server start only'],
  [['server', 'start', '-o', 'json'], 2, 'server start: expected -o with server status only'],
];

describe('what is wrong in itself is refused before a coordinator is started', () => {
  test.each(beforeAnyServer)('%j', async (words, code, message) => {
    const ran = await box.spawn(words, { input: '' });
    expect(ran).toMatchObject({ code, out: '', err: `spawn: ${message.replaceAll('FOLDER', folder())}\n` });
    expect(box.processes()).toEqual([]);
  });

  test('a script that its own user may not read', async () => {
    if (process.getuid?.() === 0) return;
    const ran = await box.spawn(['submit', 'secret.sh']);
    expect(ran.err).toBe(`spawn: script: file "${folder()}/secret.sh" cannot be read: permission denied\n`);
  });
});

const byTheServer: readonly Line[] = [
  [['status', '999'], 66, 'job "999" not found'],
  [['status', 'nobody'], 66, 'job "nobody" not found'],
  [['status', '1_99'], 66, 'task "1_99" not found'],
  [['tasks', '999'], 66, 'job "999" not found'],
  [['tasks', '1', '--index', '99'], 66, 'task "1_99" not found'],
  [['logs', '999'], 66, 'job "999" not found'],
  [['logs', '1_99'], 66, 'task "1_99" not found'],
  [['logs', '1_0', '--attempt', '7'], 66, 'log of "1_0, attempt 7" not found: it has not started'],
  [['wait', '999'], 66, 'job "999" not found'],
  [['cancel', '999'], 66, 'job "999" not found'],
  [['cancel', '1_[2-9]'], 66, 'task "1_[2-9]" not found'],
  [
    ['cancel', 'twice'],
    65,
    'name "twice": expected exactly one live job, found 3 (FIRST, submitted TIME, held, 1 ready), 4 (SECOND, submitted TIME, held, 1 ready); use the id',
  ],
  [['hold', '2'], 65, 'job "2": expected one that has not ended, found cancelled'],
  [['release', '2'], 65, 'job "2": expected one that has not ended, found cancelled'],
  [['update', '2', '--throttle', '1'], 65, 'job "2": expected one that has not ended, found cancelled'],
  [['submit', '--array', '1000001', '--', 'x'], 2, '--array: array of 1000001 tasks: expected at most 1000000'],
  [['submit', '--after', 'afterok:999', '--', 'x'], 2, '--after: dependency: expected an existing job, found 999'],
  [
    ['submit', '--idempotency-key', 'k', '--', 'other'],
    65,
    'idempotency key "k": expected the request it was first used with, found another one',
  ],
];

describe('what only the coordinator can know', () => {
  const arrayIds: string[] = [];
  beforeAll(async () => {
    const submit = async (...words: string[]) => {
      const ran = await box.spawn(['submit', '--hold', '-o', 'json', ...words, '--', 'x']);
      expect(ran.code).toBe(0);
      arrayIds.push(JSON.parse(ran.out).array_id);
    };
    await submit('--array', '2', '--idempotency-key', 'k');
    await submit();
    expect((await box.spawn(['cancel', '2'])).code).toBe(0);
    await submit('--name', 'twice');
    await submit('--name', 'twice');
  });

  test.each(byTheServer)('%j', async (words, code, message) => {
    const before = (await box.spawn(['jobs', '--all', '-o', 'json'])).out;
    const ran = await box.spawn(words);
    const expected = message.replace('FIRST', arrayIds[2]!).replace('SECOND', arrayIds[3]!);
    const err = ran.err.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME');
    expect({ ...ran, err }).toMatchObject({ code, out: '', err: `spawn: ${expected}\n` });
    expect((await box.spawn(['jobs', '--all', '-o', 'json'])).out).toBe(before);
  });

  test('a coordinator that is elsewhere', async () => {
    const ran = await box.spawn(['server', 'stop'], { env: { SPAWN_SERVER: 'http://127.0.0.1:9' } });
    expect(ran).toMatchObject({
      code: 2,
      err: 'spawn: server stop: expected no SPAWN_SERVER (the coordinator is elsewhere), found "http://127.0.0.1:9"\n',
    });
    expect(await box.spawn(['jobs'], { env: { SPAWN_SERVER: 'ftp://x' } })).toMatchObject({
      code: 2,
      err: 'spawn: server URL: expected http://HOST:PORT or https://HOST:PORT, found "ftp://x"\n',
    });
  });
});
