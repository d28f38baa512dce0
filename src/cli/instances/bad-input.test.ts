import { expect, test } from 'vitest';
import { runCli } from '../../../test/support/cli-world.ts';

const caret = (message: string, text: string, at: number) => `${message}\n  ${text}\n  ${' '.repeat(at)}^`;
const forms = 'expected NAME|ID, --job-array-name, --job-array-id or --tag, found nothing; see: spawn help';
const states = 'expected all, pending, running, stopping, stopped, hibernated, shutting-down or terminated, found';
const label = 'expected a DNS label';
const name = 'expected the name or id of an instance, as compute-3, or the id of an array, found';
const arrayId = 'expected the id of an array, as compute-20260113-0abc12, found';
const longer = 'extend: expected how much longer, as 4h, or --ttl 4h, found';
const yes = 'expected -y where nobody can be asked (standard input is no terminal), found none';
const usd = 'budget set: expected an amount in USD from 0 to 1000000000, as 50 or 12.50, found';
const long = 'a'.repeat(64);

/** Command line and all that is written after `spawn: `. Nothing may be asked of the coordinator, and the exit code is 2. */
test.each<[string[], string]>([
  [
    ['list', 'compute'],
    'list: expected options only, found "compute"; an array is --job-array-name compute, an instance --name compute',
  ],
  [['list', '--state', 'runing'], `--state: ${states} "runing"; did you mean "running"?`],
  [['list', '--state', ''], `--state: ${states} ""`],
  [['list', '--state', 'running,stopped'], `--state: ${states} "running,stopped"`],
  [['list', '--state'], '--state: expected a value (STATE), found nothing'],
  [['list', '--tag', 'team'], '--tag: expected key=value, found "team"'],
  [['list', '--tag', '=x'], '--tag: expected key=value, found "=x"'],
  [
    ['list', '--tag', 'array:idd=x'],
    '--tag: expected one of array:id, array:name, array:index, array:size; did you mean "array:id"?, found "array:idd"',
  ],
  [['list', '--tag', 'array:index=first'], '--tag: expected array:index=NUMBER, found "array:index=first"'],
  [
    ['list', '--tag', 'spawn:job-array-size='],
    '--tag: expected spawn:job-array-size=NUMBER, found "spawn:job-array-size="',
  ],
  [['list', '--tag', `k=${'v'.repeat(400)}`], `--tag: expected at most 400 characters, found "k=${'v'.repeat(197)}…`],
  [
    ['list', '--job-array-name', 'Compute'],
    `--job-array-name: name "Compute": ${label}: lower-case letters, digits and "-", found "C" at column 1`,
  ],
  [['list', '--job-array-name', ''], `--job-array-name: name "": ${label} of 1 to 63 characters, found 0`],
  [['list', '--job-array-name', long], `--job-array-name: name "${long}": ${label} of 1 to 63 characters, found 64`],
  [['list', '--job-array-name', 'a', '--job-array-name', 'b'], '--job-array-name: expected once, found twice'],
  [['list', '--job-array-id', 'a b'], `--job-array-id: ${arrayId} "a b"`],
  [['list', '--job-array-id', ''], `--job-array-id: ${arrayId} ""`],
  [
    ['list', '--name', 'compute_0'],
    `--name: name "compute_0": ${label}: lower-case letters, digits and "-", found "_" at column 8`,
  ],
  [
    ['list', '--region', 'us east'],
    `--region: name "us east": ${label}: lower-case letters, digits and "-", found " " at column 3`,
  ],
  [['list', '-o', 'yaml'], '-o: expected json, found "yaml"'],
  [['list', '--jason'], 'list: unknown option "--jason"; did you mean "--json"?'],
  [['stop'], `stop: ${forms} stop`],
  [['start'], `start: ${forms} start`],
  [['hibernate'], `hibernate: ${forms} hibernate`],
  [['terminate', '-y'], `terminate: ${forms} terminate`],
  [['interrupt'], `interrupt: ${forms} interrupt`],
  [['extend', '4h'], `extend: ${forms} extend`],
  [['extend', '--ttl', '4h'], `extend: ${forms} extend`],
  [
    ['stop', 'compute-0', '--job-array-name', 'compute'],
    'stop: expected NAME|ID or filters, found "compute-0" and --job-array-name compute',
  ],
  [
    ['terminate', '-y', 'compute-0', '--tag', 'a=b'],
    'terminate: expected NAME|ID or filters, found "compute-0" and --tag a=b',
  ],
  [['stop', 'Compute-0'], `stop: ${name} "Compute-0"`],
  [['stop', '12'], `stop: ${name} "12"`],
  [['stop', '12_3'], `stop: ${name} "12_3"`],
  [['stop', ''], `stop: ${name} ""`],
  [['stop', 'i-0abc;rm'], `stop: ${name} "i-0abc;rm"`],
  [['stop', '--ttl', '4h', 'x'], 'stop: unknown option "--ttl"; see: spawn help stop'],
  [['stop', 'x', '--timeout', '2m'], '--timeout: expected at most 60s, found "2m"'],
  [
    ['stop', 'x', '--timeout', '5'],
    caret('--timeout: duration, column 2: expected a unit: d, h, m, s or ms (as in 5s, 5m), found the end', '5', 1),
  ],
  [['terminate', 'compute-0'], `terminate: ${yes}`],
  [['terminate', '--job-array-name', 'compute'], `terminate: ${yes}`],
  [['replace', 'compute', '--index', '5'], `replace: ${yes}`],
  [['extend'], `${longer} nothing; see: spawn help extend`],
  [['extend', 'compute-0'], `${longer} "compute-0" only; see: spawn help extend`],
  [['extend', '--job-array-name', 'compute'], `${longer} nothing; see: spawn help extend`],
  [
    ['extend', 'compute-0', '4'],
    caret('extend: duration, column 2: expected a unit: d, h, m, s or ms (as in 4s, 4m), found the end', '4', 1),
  ],
  [
    ['extend', 'compute-0', '4x'],
    caret('extend: duration, column 2: expected a unit: d, h, m, s or ms, found "x"', '4x', 1),
  ],
  [
    ['extend', 'compute-0', '1h2d'],
    caret('extend: duration, column 4: expected a smaller unit than the one before, found "d"', '1h2d', 3),
  ],
  [['extend', 'compute-0', '0'], 'extend: expected a duration above 0, as 4h, found "0"'],
  [['extend', 'compute-0', '0h'], 'extend: expected a duration above 0, as 4h, found "0h"'],
  [['extend', 'compute-0', '4000d'], 'extend: expected at most 3660d, found "4000d"'],
  [['extend', 'compute-0', '-4h'], 'extend: unknown option "-4h"; see: spawn help extend'],
  [['extend', 'compute-0', '--ttl', '0s'], '--ttl: expected a duration above 0, as 4h, found "0s"'],
  [
    ['extend', 'compute-0', '--ttl', 'soon'],
    caret(
      '--ttl: duration, column 1: expected a whole number with a unit, as 90s, 5m or 1h30m, found "soon"',
      'soon',
      0,
    ),
  ],
  [['extend', 'compute-0', '4h', '--ttl', '8h'], 'extend: expected 4h or --ttl, found both; see: spawn help extend'],
  [
    ['interrupt', 'compute-0', '--notice', 'now'],
    caret(
      '--notice: duration, column 1: expected a whole number with a unit, as 90s, 5m or 1h30m, found "now"',
      'now',
      0,
    ),
  ],
  [['resize', 'compute'], 'resize: expected --count N, found nothing; see: spawn help resize'],
  [
    ['resize', '--count', '4'],
    'resize: expected ARRAY, --job-array-name, --job-array-id or --tag, found nothing; see: spawn help resize',
  ],
  [['resize', 'compute', '--count', '0'], '--count: expected a whole number from 1 to 100000, found "0"'],
  [['resize', 'compute', '--count', '10000000'], '--count: expected a whole number from 1 to 100000, found "10000000"'],
  [['resize', 'compute', '--count', '-4'], '--count: expected a whole number from 1 to 100000, found "-4"'],
  [
    ['resize', 'compute', '--tag', 'a=b', '--count', '4'],
    'resize: expected ARRAY or filters, found "compute" and --tag a=b; see: spawn help resize',
  ],
  [['resize', 'a', 'b', '--count', '4'], 'resize: expected only one ARRAY, found "b" too'],
  [
    ['resize', '12_3', '--count', '4'],
    'resize: expected an array: its name, its id or the number of its job, found "12_3"',
  ],
  [['replace'], 'replace: expected ARRAY or NAME|ID, found nothing; see: spawn help replace'],
  [
    ['replace', '-y', 'compute', '--index', 'x'],
    caret('--index: index set, column 1: expected an index (0 to 4294967294), found "x"', 'x', 0),
  ],
  [['replace', '-y', 'compute', '--index', '0-999'], '--index: expected at most 100 indices, found "0-999"'],
  [
    ['replace', '-y', 'a', 'b', '--index', '1'],
    'replace: expected one ARRAY with --index, found "b" too; see: spawn help replace',
  ],
  [['cost', 'compute', '--job', '12'], 'cost: expected NAME|ID or filters, found "compute" and --job'],
  [['cost', 'compute', '--tag', 'a=b'], 'cost: expected NAME|ID or filters, found "compute" and --tag a=b'],
  [['cost', '12_3'], 'cost: expected an array, a job or an instance, as compute, 12 or compute-3, found "12_3"'],
  [['cost', '--job', '12_3'], '--job: expected a whole job, as 12 or a name, found "12_3"'],
  [['cost', 'a', 'b'], 'cost: expected only one NAME|ID, found "b" too'],
  [['budget', '50'], 'budget: expected show, set or off, found "50" (spawn budget set 50); see: spawn help budget'],
  [['budget', 'remove'], 'budget: expected show, set or off, found "remove"; see: spawn help budget'],
  [['budget', 'set'], 'budget set: expected an AMOUNT in USD, as 50, found nothing; see: spawn help budget'],
  [['budget', 'set', 'lots'], `${usd} "lots"`],
  [['budget', 'set', '-5'], 'budget: unknown option "-5"; see: spawn help budget'],
  [['budget', 'set', '1e9'], `${usd} "1e9"`],
  [['budget', 'set', '9999999999'], `${usd} "9999999999"`],
  [['budget', 'off', '5'], 'budget off: expected nothing more, found "5"; see: spawn help budget'],
  [['budget', '--period', 'month'], 'budget show: expected --period with set only; see: spawn help budget'],
  [['budget', 'set', '5', '--period', 'year'], '--period: expected month or total, found "year"'],
])('%j', async (words, message) => {
  expect(await runCli(words)).toEqual({ code: 2, out: '', err: `spawn: ${message}\n`, calls: [] });
});

test('an unknown type is refused with those that there are', async () => {
  const ran = await runCli(['list', '--instance-type', 'm7i.lrage']);
  expect(ran).toMatchObject({ code: 2, out: '', calls: [] });
  expect(ran.err).toMatch(
    /^spawn: --instance-type: expected an instance type \(.*m7i\.large.*\); did you mean "m7i\.large"\?, found "m7i\.lrage"\n$/,
  );
});

test('more names than one command takes', async () => {
  const ran = await runCli(['stop', ...Array.from({ length: 101 }, (_, index) => `compute-${index}`)]);
  expect(ran).toMatchObject({
    code: 2,
    err: 'spawn: stop: expected at most 100 of NAME|ID, found "compute-100" too\n',
  });
});
