import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aJob, runCli } from '../../../test/support/cli-world.ts';
import type { SubmitRequestInput } from '../../api/job.ts';
import { JobSpec } from '../../api/job-spec.ts';
import { launch } from '../commands/launch.ts';
import { UNSUPPORTED } from './unsupported.ts';

/**
 * Every flag on every path: it changes what is submitted, or it is refused, or (for those that concern this command alone) it changes what is
 * shown. A flag that is accepted and dropped on one path is the fault that this looks for.
 */

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-launch-paths-'));
  writeFileSync(join(folder, 'sweep.json'), '{"params": [{"lr": 1}, {"lr": 2}, {"lr": 3}]}');
  writeFileSync(join(folder, 'other.csv'), 'seed\n7\n8\n9\n');
  writeFileSync(join(folder, 'run.env'), 'A=1\n');
  writeFileSync(join(folder, 'boot.sh'), 'date\n');
  const templates = join(folder, '.config/spawn/templates');
  mkdirSync(templates, { recursive: true });
  writeFileSync(
    join(templates, 'kept.json'),
    '{"options": {"count": 3, "job-array-name": "kept", "ttl": "2h", "region": "eu-west-1", "priority": 1}}',
  );
  writeFileSync(join(templates, 'second.json'), '{"options": {"priority": 9}}');
});
afterAll(() => rmSync(folder, { recursive: true }));

const PATHS = {
  operand: ['box'],
  single: ['--name', 'box'],
  array: ['--count', '3', '--job-array-name', 'fit'],
  sweep: ['--param-file', 'sweep.json', '--job-array-name', 'grid'],
  template: ['--template', 'kept'],
} as const;
type Path = keyof typeof PATHS;

/** What a flag does: changes the spec, changes what is shown, or is refused with this. */
type Effect = 'spec' | 'shown' | RegExp;
/** The words of the flag, what it needs beside it, and its effect: on all paths alike, or on each; NAME alone is as --name unless it is told. */
type Line = readonly [
  flag: readonly string[],
  effect: Effect | (Readonly<Record<Exclude<Path, 'operand'>, Effect>> & { readonly operand?: Effect }),
  beside?: readonly string[],
];

const twice = (name: string): RegExp => new RegExp(`^spawn: --${name}: expected once, found twice\n$`);
const retries = ['--retries', '2', '--retry-delay', '1s'];
const idle = ['--idle-timeout', '30m'];

const LINES: Readonly<Record<string, Line>> = {
  count: [
    ['--count', '5'],
    { single: 'spec', array: twice('count'), sweep: /as many as the sets of parameters/, template: 'spec' },
  ],
  array: [
    ['--array', '4-6%2'],
    { single: 'spec', array: /expected --count or --array, found both/, sweep: 'spec', template: 'spec' },
  ],
  'job-array-name': [
    ['--job-array-name', 'other'],
    { single: 'spec', array: twice('job-array-name'), sweep: twice('job-array-name'), template: 'spec' },
  ],
  name: [
    ['--name', 'other'],
    {
      operand: /expected one name for one instance/,
      single: twice('name'),
      array: 'spec',
      sweep: 'spec',
      template: 'spec',
    },
  ],
  'instance-names': [['--instance-names', 'w-{index}'], 'spec'],
  'param-file': [
    ['--param-file', 'other.csv'],
    { single: 'spec', array: 'spec', sweep: twice('param-file'), template: 'spec' },
  ],
  template: [['--template', 'second'], { single: 'spec', array: 'spec', sweep: 'spec', template: twice('template') }],
  unset: [
    ['--unset', 'ttl'],
    {
      single: /--unset: expected --template with it/,
      array: /--unset: expected/,
      sweep: /--unset: expected/,
      template: 'spec',
    },
  ],
  command: [['--command', 'date'], 'spec'],
  'user-data': [['--user-data', 'date'], 'spec'],
  'user-data-file': [['--user-data-file', 'boot.sh'], 'spec'],
  env: [['--env', 'A=1'], 'spec'],
  'env-file': [['--env-file', 'run.env'], 'spec'],
  cwd: [['--cwd', '/'], 'spec'],
  input: [['--input', '%a.in'], 'spec'],
  output: [['--output', '%a.out'], 'spec'],
  error: [['--error', '%a.err'], 'spec'],
  'open-mode': [['--open-mode', 'append'], 'spec', ['--output', 'x']],
  'log-cap': [['--log-cap', '1M'], 'spec'],
  provider: [['--provider', 'local'], 'spec'],
  'instance-type': [['--instance-type', 'm7i.large'], 'spec'],
  region: [['--region', 'us-east-1'], 'spec'],
  az: [
    ['--az', 'local-b'],
    { single: 'spec', array: 'spec', sweep: 'spec', template: /--az: expected a zone of region eu-west-1/ },
  ],
  spot: [['--spot'], 'spec'],
  'spot-max-price': [['--spot-max-price', '1'], 'spec', ['--spot']],
  dns: [['--dns', 'other'], 'spec'],
  tag: [['--tag', 'team=a'], 'spec'],
  strict: [['--strict'], 'spec'],
  'ignore-unsupported': [['--ignore-unsupported'], 'shown', ['--ami', 'x']],
  ttl: [['--ttl', '1h'], 'spec'],
  'ttl-mode': [['--ttl-mode', 'wall'], 'spec', ['--ttl', '3h']],
  'idle-timeout': [['--idle-timeout', '1h'], 'spec'],
  'idle-cpu': [['--idle-cpu', '10'], 'spec', idle],
  'on-idle': [['--on-idle', 'terminate'], 'spec', idle],
  hibernate: [['--hibernate'], 'spec'],
  // Without a TTL there is a note, which it leaves out; the template has one, which it takes away.
  'no-timeout': [['--no-timeout'], { single: 'shown', array: 'shown', sweep: 'shown', template: 'spec' }],
  'on-complete': [['--on-complete', 'stop'], 'spec'],
  'pre-stop': [['--pre-stop', 'sync'], 'spec'],
  'pre-stop-timeout': [['--pre-stop-timeout', '1m'], 'spec', ['--pre-stop', 'sync']],
  'cost-limit': [['--cost-limit', '5'], 'spec'],
  'min-viable': [['--min-viable', '1'], 'spec'],
  'on-failure': [['--on-failure', 'keep'], 'spec'],
  'fail-all-on-one': [['--fail-all-on-one'], 'spec'],
  replacements: [['--replacements', '2'], 'spec'],
  'max-concurrent': [['--max-concurrent', '2'], 'spec'],
  'launch-delay': [['--launch-delay', '1s'], 'spec'],
  canary: [['--canary', '1'], 'spec'],
  'max-failures': [['--max-failures', '1'], 'spec'],
  retries: [['--retries', '2'], 'spec'],
  'retry-delay': [['--retry-delay', '5s'], 'spec', ['--retries', '2']],
  'retry-backoff': [['--retry-backoff', 'exponential'], 'spec', retries],
  'retry-jitter': [['--retry-jitter', '10%'], 'spec', retries],
  'retry-max-delay': [['--retry-max-delay', '5s'], 'spec', retries],
  'retry-on': [['--retry-on', '1,oom'], 'spec', retries],
  'no-retry-on': [['--no-retry-on', '2'], 'spec', retries],
  'time-limit': [['--time-limit', '1h'], 'spec'],
  time: [['--time', '1h'], 'spec'],
  signal: [['--signal', 'USR1@30'], 'spec', ['--time-limit', '1h']],
  after: [['--after', 'afterok:3'], 'spec'],
  begin: [['--begin', '1h'], 'spec'],
  deadline: [['--deadline', '2h'], 'spec'],
  hold: [['--hold'], 'spec'],
  priority: [['--priority', '3'], 'spec'],
  'dry-run': [['--dry-run'], 'shown'],
  detach: [['--detach'], 'shown'],
  'wait-for-running': [['--wait-for-running'], /found both/, ['--detach']],
  wait: [['--wait'], 'shown'],
  follow: [['--follow'], 'shown'],
  'idempotency-key': [['--idempotency-key', 'k'], 'shown'],
  quiet: [['--quiet'], 'shown'],
  // Only a launch of more than 100 is asked about.
  yes: [
    ['--yes'],
    { single: 'shown', array: /--count or --array/, sweep: /as many as the sets of parameters/, template: 'shown' },
    ['--array', '0-100'],
  ],
  format: [['-o', 'json'], 'shown'],
  json: [['--json'], 'shown'],
  ...Object.fromEntries(
    Object.entries(UNSUPPORTED).map(([name, { value }]): [string, Line] => [
      name,
      [
        [`--${name}`, ...(value === undefined ? [] : ['x'])],
        new RegExp(
          `^spawn: launch: provider local cannot honour:\n  --${name}  .{20,}\n  --ignore-unsupported launches without\n$`,
        ),
      ],
    ]),
  ),
};

async function run(words: readonly string[]) {
  const job = aJob({ state: 'completed', endedAt: 5, exitCode: 0, size: 3 });
  const { calls, code, out, err } = await runCli(['launch', ...words], {
    tty: true,
    stdin: 'terminal',
    // With a coordinator elsewhere nothing depends on the size of this machine.
    world: { cwd: folder, env: { HOME: folder, SPAWN_SERVER: 'http://127.0.0.1:1' } },
    client: {
      putBlob: async () => ({ hash: 'e'.repeat(64) }),
      submit: async ({ dryRun }: SubmitRequestInput) => ({ job, replayed: false, dryRun: dryRun ?? false }),
      watch: async function* () {
        const { id, state, counts, retried } = job;
        yield { id, state, counts, retried, endedAt: 5 };
      },
      job: async () => job,
      instances: async () => ({ instances: [] }),
      tasks: async () => ({ tasks: [] }),
      logs: async function* () {},
    },
  });
  const request = calls.find(([name]) => name === 'submit')?.[1] as SubmitRequestInput | undefined;
  // The contract takes it, and fields that mean the same are the same.
  const spec = request === undefined ? undefined : JSON.stringify(JobSpec.parse(request.spec));
  const sent = request === undefined ? undefined : JSON.stringify(request.spec);
  return {
    code,
    err,
    spec,
    sent,
    all: JSON.stringify([code, out, err, calls.map(([name]) => name), request?.idempotencyKey]),
  };
}

test('every flag has a line', () => {
  expect(Object.keys(LINES).sort()).toEqual(Object.keys(launch.options).sort());
});

describe.each(Object.entries(PATHS) as [Path, readonly string[]][])('path %s', (path, base) => {
  test.each(Object.entries(LINES))('--%s', async (_, [flag, effects, beside = []]) => {
    const effect =
      typeof effects === 'string' || effects instanceof RegExp ? effects : (effects[path] ?? effects.single);
    const changed = await run([...base, ...beside, ...flag]);
    if (effect instanceof RegExp) {
      expect(changed).toMatchObject({ code: 2, spec: undefined });
      expect(changed.err).toMatch(effect);
      return;
    }
    expect([2, 70]).not.toContain(changed.code);
    const without = await run([...base, ...beside]);
    if (effect === 'spec') expect(changed.sent).not.toBe(without.sent);
    else expect(changed.all).not.toBe(without.all);
    if (effect === 'spec' && flag[0] !== '--provider') expect(changed.spec).not.toBe(without.spec);
    // A dry run is of the same launch.
    const dry = await run([...base, ...beside, ...flag, '--dry-run']);
    if (effect === 'spec') expect(dry.spec).toBe(changed.spec);
  });
});

/** Fields whose value differs. What is sent of the path itself is in both. */
function difference(one: string | undefined, other: string | undefined): object {
  const [before, after] = [JSON.parse(one!), JSON.parse(other!)];
  const flat = (spec: Record<string, unknown>) => ({ ...spec, ...(spec.instances as object), instances: undefined });
  const [old, now] = [flat(before) as Record<string, unknown>, flat(after) as Record<string, unknown>];
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  return Object.fromEntries(
    names.filter((name) => JSON.stringify(old[name]) !== JSON.stringify(now[name])).map((name) => [name, now[name]]),
  );
}

/** Where a path says something of its own in the same field, or nothing can be left to say. */
const NOT_ALIKE = [
  'instance-names',
  'name',
  'unset',
  'template',
  'param-file',
  'job-array-name',
  'count',
  'array',
  'no-timeout',
];

test.each(Object.entries(LINES).filter(([name, [, effects]]) => effects === 'spec' && !NOT_ALIKE.includes(name)))(
  '--%s says the same on every path',
  async (_, [flag, , beside = []]) => {
    const changes = await Promise.all(
      Object.values(PATHS).map(async (base) => {
        const [without, changed] = [await run([...base, ...beside]), await run([...base, ...beside, ...flag])];
        return difference(without.spec, changed.spec);
      }),
    );
    for (const change of changes) expect(change).toEqual(changes[0]);
  },
);
