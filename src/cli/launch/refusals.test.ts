import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCli } from '../../../test/support/cli-world.ts';
import { MAX_BLOB_BYTES } from '../../api/limits.ts';
import { instanceTypes } from '../../core/instance-types.ts';

let folder: string;
const files: Readonly<Record<string, string | Uint8Array>> = {
  'nul.sh': 'echo\0x',
  'latin.sh': Uint8Array.of(0x23, 0xe9, 0x0a),
  'windows.sh': '#!/bin/sh\r\ndate\r\n',
  'empty.sh': '',
  'big.sh': new Uint8Array(MAX_BLOB_BYTES + 1).fill(0x20),
  'three.json': '{"params": [{"a": 1}, {"a": 2}, {"a": 3}]}',
  'types.json': '{"params": [\n {"instance_type": "t3.micro"},\n {"instance_type": "t3.small"}\n]}',
  'names.json': '{"params": [\n {"name": "a", "x": 1},\n {"name": "b", "x": 2}\n]}',
  'ami.yaml': 'defaults:\n  ami: ami-1\nparams:\n  - {x: 1}\n',
  'ttl.yaml': 'defaults:\n  ttl: 4\nparams:\n  - {x: 1}\n',
  'spot.yaml': 'defaults:\n  spot: maybe\nparams:\n  - {x: 1}\n',
  'empty.yaml': 'defaults: {ttl: 4h}\n',
  'near.json': '{"params": [{"instance-type": "t3.micro"}]}',
  '.config/spawn/templates/bad.json': '{"options": {\n  "tttl": "4h"\n}}',
  '.config/spawn/templates/text.json': '{"options": {"ttl": "4 h"}}',
  '.config/spawn/templates/broken.json': '{"options": {"ttl": }}',
  '.config/spawn/templates/once.json': '{"options": {"dry-run": true}}',
  '.config/spawn/templates/cloud.json': '{"options": {"ttl": "4h", "ami": "ami-1"}}',
};
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-launch-refused-'));
  mkdirSync(join(folder, '.config/spawn/templates'), { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
});
afterAll(() => rmSync(folder, { recursive: true }));

const n3 = ['--count', '3', '--name', 'x'];
const types = instanceTypes()
  .map(({ name }) => name)
  .join(', ');
const duration = (option: string, text: string, column: number, expected: string, found: string) =>
  `${option}: duration, column ${column}: expected ${expected}, found ${found}\n  ${text}\n  ${' '.repeat(column - 1)}^`;
const units = 'a unit: d, h, m, s or ms';

const LINES: readonly (readonly [words: readonly string[], message: string])[] = [
  // How many.
  [['--count', '0'], '--count: expected a whole number from 1 to 100000, found "0"'],
  [['--count', '10000000'], '--count: expected a whole number from 1 to 100000, found "10000000"'],
  [['--count', '-3'], '--count: expected a whole number from 1 to 100000, found "-3"'],
  [['--count', '1.5'], '--count: expected a whole number from 1 to 100000, found "1.5"'],
  [['--count', 'many'], '--count: expected a whole number from 1 to 100000, found "many"'],
  [['--array', '10000000', '--name', 'x'], '--array: array of 10000000 tasks: expected at most 100000'],
  [['--count', '3', '--count', '4'], '--count: expected once, found twice'],
  [['--count', '3', '--array', '3'], 'launch: expected --count or --array, found both'],
  [['--count'], '--count: expected a value (N), found nothing'],
  [['5'], 'launch: expected a name with a letter, found "5"; so many instances: --count 5'],
  [
    ['--param-file', 'three.json', '--count', '4'],
    '--count: expected 3, as many as the sets of parameters in three.json, or none, found 4',
  ],
  // Names.
  [
    ['--name', 'Compute'],
    '--name: name "Compute": expected a DNS label: lower-case letters, digits and "-", found "C" at column 1',
  ],
  [
    ['--job-array-name', 'a_b'],
    '--job-array-name: name "a_b": expected a DNS label: lower-case letters, digits and "-", found "_" at column 2',
  ],
  [['--name', '-x'], '--name: name "-x": expected a DNS label: a letter or a digit at both ends'],
  [['--name', ''], '--name: name "": expected a DNS label of 1 to 63 characters, found 0'],
  [
    ['--name', 'x'.repeat(64)],
    `--name: name "${'x'.repeat(64)}": expected a DNS label of 1 to 63 characters, found 64`,
  ],
  [
    ['--name', '12'],
    '--name: name "12": expected no number, task id or range: it would be read as one; put a letter first',
  ],
  [['a', 'b'], 'launch: expected only one NAME, found "b" too'],
  [
    ['c', '--name', 'b', '--job-array-name', 'a'],
    'launch: expected two of --job-array-name, --name and NAME at most, found all three',
  ],
  [['c', '--name', 'b'], 'launch: expected one name for one instance, found --name b and NAME c'],
  [
    ['--dns', 'A.b'],
    '--dns: name "A.b": expected a DNS label: lower-case letters, digits and "-", found "A" at column 1',
  ],
  [
    [...n3, '--instance-names', 'worker'],
    '--instance-names: expected {index} in the names of 3 members, because each needs its own, found "worker for index 0 and index 1"',
  ],
  [
    [...n3, '--instance-names', 'w-{idx}'],
    '--instance-names, column 3: expected {index}, {index:03}, {job-array-name} or {name}, found "{idx}"',
  ],
  [
    [...n3, '--instance-names', '{index}'],
    '--instance-names: name "0": expected no number, task id or range: it would be read as one; put a letter first',
  ],
  [
    [...n3, '--instance-names', 'W{index}'],
    '--instance-names: name "W0": expected a DNS label: lower-case letters, digits and "-", found "W" at column 1',
  ],
  // Machines.
  [
    ['--instance-type', 'm7i.larg'],
    `--instance-type: expected an instance type (${types}); did you mean "m7i.large"?, found "m7i.larg"`,
  ],
  [['--instance-type', 'z9.huge'], `--instance-type: expected an instance type (${types}), found "z9.huge"`],
  [['--provider', 'ec2'], '--provider: expected local, found "ec2"'],
  [
    ['--region', 'US'],
    '--region: name "US": expected a DNS label: lower-case letters, digits and "-", found "U" at column 1',
  ],
  [
    ['--az', 'us-west-2a', '--region', 'us-east-1'],
    '--az: expected a zone of region us-east-1 (us-east-1a, us-east-1b, us-east-1c), found "us-west-2a"',
  ],
  [['--spot-max-price', '1'], 'launch: --spot-max-price: expected --spot with it, found none'],
  [
    ['--spot', '--spot-max-price', '0'],
    '--spot-max-price: expected an amount of USD above 0, as 0.15 or 50, found "0"',
  ],
  [
    ['--spot', '--spot-max-price', 'cheap'],
    '--spot-max-price: expected an amount of USD above 0, as 0.15 or 50, found "cheap"',
  ],
  [['--tag', 'team'], '--tag: expected KEY=VALUE, found "team"'],
  [
    ['--tag', 'spawn:ttl=1h'],
    '--tag: expected a key that does not begin with spawn: or array:, which are set for each instance, found "spawn:ttl"',
  ],
  [['--tag', 'a=1', '--tag', 'a=2'], 'launch: --tag: expected "a" once, found twice'],
  // Lives.
  [['--ttl', '0'], '--ttl: expected at least 1s; leave it out for none, found "0"'],
  [['--ttl', '500ms'], '--ttl: expected at least 1s; leave it out for none, found "500ms"'],
  [['--ttl=-1h'], '--ttl: expected a time from the launch on, as 30m or 1d12h, found "-1h"'],
  [['--ttl', '2020-01-01'], '--ttl: expected a time from the launch on, as 30m or 1d12h, found "2020-01-01"'],
  [['--ttl', '4'], duration('--ttl', '4', 2, `${units} (as in 4s, 4m)`, 'the end')],
  [['--ttl', '30x'], duration('--ttl', '30x', 3, units, '"x"')],
  [['--ttl', '4000d'], '--ttl: expected at most 3660d, found "4000d"'],
  [['--ttl', '1h', '--no-timeout'], 'launch: expected --no-timeout or --ttl, found both'],
  [['--ttl-mode', 'wall'], 'launch: --ttl-mode: expected --ttl with it, found none'],
  [['--idle-cpu', '5'], 'launch: --idle-cpu: expected --idle-timeout with it, found none'],
  [['--idle-timeout', '1h', '--idle-cpu', '101'], '--idle-cpu: expected a percentage from 0 to 100, found "101"'],
  [['--on-idle', 'sleep'], '--on-idle: expected stop or hibernate or terminate, found "sleep"'],
  [['--on-complete', 'exit'], '--on-complete: expected none or terminate or stop or hibernate, found "exit"'],
  [['--pre-stop', ''], '--pre-stop: expected a command line, found ""'],
  [['--cost-limit', '-5'], '--cost-limit: expected an amount of USD above 0, as 0.15 or 50, found "-5"'],
  // The array.
  [[...n3, '--min-viable', '4'], '--min-viable: expected at most 3, the size of the array, found 4'],
  [[...n3, '--min-viable', '0'], '--min-viable: expected a whole number from 1 to 100000, found "0"'],
  [[...n3, '--on-failure', 'retry'], '--on-failure: expected cleanup or keep or fail-all, found "retry"'],
  [
    ['--array', '9%3', '--name', 'x', '--max-concurrent', '2'],
    'launch: expected %3 of --array or --max-concurrent, found both',
  ],
  [['--replacements', 'all'], '--replacements: expected a whole number from 0 to 1000, found "all"'],
  [['--retry-on', 'oom'], 'launch: --retry-on: expected --retries with it, found none'],
  [['--time', '1h', '--time-limit', '2h'], 'launch: expected --time or --time-limit, found both'],
  // What runs.
  [['--command', 'date', '--', 'date'], 'launch: expected --command or a program after "--", found both'],
  [['--'], 'launch: expected a program after "--", found nothing'],
  [['--user-data', '@none.sh'], '--user-data: file "none.sh" not found'],
  [['--user-data', '@'], '--user-data: expected a file after "@", found "@"'],
  [['--user-data', '@nul.sh'], '--user-data nul.sh: expected text, found a NUL byte'],
  [['--user-data', '@latin.sh'], '--user-data latin.sh: expected UTF-8 text, found something else'],
  [['--user-data', '@empty.sh'], '--user-data empty.sh: expected a script, found nothing in it'],
  [
    ['--user-data', '@windows.sh'],
    '--user-data windows.sh: expected a first line that ends in LF, found CR LF, as Windows writes it',
  ],
  [['--user-data-file', 'big.sh'], 'script big.sh: expected at most 16777216 bytes, found 16777217'],
  [
    ['--user-data', 'date', '--user-data-file', 'nul.sh'],
    'launch: expected --user-data or --user-data-file, found both',
  ],
  [
    ['--env', 'JOB_ARRAY_INDEX=3'],
    '--env: expected a variable that spawn does not set for each task, found "JOB_ARRAY_INDEX=3"',
  ],
  [['--env', '1x=2'], '--env: expected a name of letters, digits and "_", no digit first, found "1x"'],
  [
    ['--env', 'MASTER_PORT=80'],
    '--env: expected a variable that spawn does not set in each instance, found "MASTER_PORT"',
  ],
  // The command itself.
  [['--detach', '--wait'], 'launch: expected --detach or --wait, found both'],
  [['--dry-run', '--detach'], 'launch: expected --dry-run or --detach, found both'],
  [['--quiet', '--json'], 'launch: expected --quiet or --json, found both'],
  [['--instnce-type', 'x'], 'launch: unknown option "--instnce-type"; did you mean "--instance-type"?'],
  // Files of parameters.
  [['--param-file', 'none.json'], '--param-file: file "none.json" not found'],
  [
    ['--param-file', 'types.json'],
    'types.json:3:20 params[1].instance_type: expected the same for every member of an array, found "t3.small" here and "t3.micro" in the first; launch an array for each',
  ],
  [
    ['--param-file', 'names.json'],
    'names.json:3:11 params[1].name: expected the same for every member of an array, found "b" here and "a" in the first; --instance-names names the members',
  ],
  [['--param-file', 'ttl.yaml'], duration('ttl.yaml:2:8 defaults.ttl', '4', 2, `${units} (as in 4s, 4m)`, 'the end')],
  [['--param-file', 'spot.yaml'], 'spot.yaml:2:9 defaults.spot: expected true or false, found "maybe"'],
  [
    ['--param-file', 'empty.yaml'],
    'empty.yaml: expected at least one set of parameters under params or grid, found none',
  ],
  [
    ['--param-file', 'near.json'],
    'near.json:1:31 params[0].instance-type: expected instance_type, which it looks like, found "instance-type"; a parameter of that name is written "param:instance-type"',
  ],
  // What only a cloud can do, all of it at once.
  [
    ['--ami', 'ami-1', '--key-name', 'k', '--efa'],
    'launch: provider local cannot honour:\n' +
      '  --ami       a local instance has the programs of this machine, no image of its own\n' +
      '  --key-name  there is no ssh to a local instance: spawn connect NAME opens a shell in it\n' +
      '  --efa       a local instance has the hardware of this machine\n' +
      '  --ignore-unsupported launches without',
  ],
  [
    ['--param-file', 'ami.yaml', '--subnet', 's'],
    'launch: provider local cannot honour:\n' +
      '  --subnet                   local instances share the loopback network of this machine; nothing else reaches them\n' +
      '  ami.yaml:2:8 defaults.ami  a local instance has the programs of this machine, no image of its own\n' +
      '  --ignore-unsupported launches without',
  ],
];

/** `@` stands for the directory of templates. */
const TEMPLATES: typeof LINES = [
  [['--template', 'bda'], 'template "bda" not found in @; did you mean "bad"?'],
  [
    ['--template', 'bad'],
    '@/bad.json:2:11 tttl: expected an option of spawn launch, found "tttl"; did you mean "ttl"?',
  ],
  [
    ['--template', 'text'],
    duration('@/text.json:1:21 ttl', '4 h', 2, `${units} (as in 4s, 4m)`, '"·"').replace('"·"', '" "'),
  ],
  [['--template', 'broken'], '@/broken.json:1:21: expected a value, found "}}"'],
  [['--template', 'once'], '@/once.json:1:25 dry-run: expected an option that can be kept, found "dry-run"'],
  [
    ['--template', 'cloud', '--unset', 'ttl'],
    'launch: provider local cannot honour:\n  @/cloud.json:1:34 ami  a local instance has the programs of this machine, no image of its own\n  --ignore-unsupported launches without',
  ],
  [
    ['--template', 'cloud', '--unset', 'spot'],
    '--unset: expected an option of template cloud (ttl, ami), found "spot"',
  ],
];

describe('a wrong launch is refused before a coordinator is asked, with what was expected and what was found', () => {
  test.each([...LINES, ...TEMPLATES])('%j', async (words, message) => {
    const ran = await runCli(['launch', ...words], { world: { cwd: folder, env: { HOME: folder } } });
    const expected = message
      .replaceAll('@/', `${folder}/.config/spawn/templates/`)
      .replace('in @;', `in ${folder}/.config/spawn/templates;`);
    expect(ran).toEqual({ code: 2, out: '', err: `spawn: ${expected}\n`, calls: [] });
  });
});
