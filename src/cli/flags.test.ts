import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ALERT_CLIENT, ALERT_LINES } from '../../test/support/alert-flag-lines.ts';
import {
  aDelta,
  aJob,
  aServer,
  aSummary,
  aTask,
  deltas,
  type RunOptions,
  runCli,
  someCounts,
} from '../../test/support/cli-world.ts';
import { INSTANCE_LINES, type Line } from '../../test/support/instance-flag-lines.ts';
import { aBudget, aCost, aMember, anInstance } from '../../test/support/instance-views.ts';
import { LAUNCH_LINES } from '../../test/support/launch-flag-lines.ts';
import { logBytes } from '../../test/support/log-bytes.ts';
import { RESULT_CLIENT, RESULT_LINES } from '../../test/support/result-flag-lines.ts';
import { SUBMIT_FILES, SUBMIT_LINES } from '../../test/support/submit-flag-lines.ts';
import type { EventView } from '../api/insight.ts';
import { JobSpec } from '../api/job-spec.ts';
import { COMMANDS } from './registry.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-flags-'));
  for (const [name, text] of Object.entries(SUBMIT_FILES)) writeFileSync(join(folder, name), text);
  const templates = join(folder, '.config/spawn/templates');
  mkdirSync(templates, { recursive: true });
  writeFileSync(join(templates, 'kept.json'), '{"options": {"ttl": "2h"}}');
});
afterAll(() => rmSync(folder, { recursive: true }));

const everyJob = [[], ['--workflow', 'night']] satisfies Line;
const selection = {
  index: [['12'], ['--index', '1-3']],
  state: [['12'], ['--state', 'running']],
  where: [['12'], ['--where', 'exit=3']],
  name: [[], ['--name', 'fit']],
} satisfies Record<string, Line>;

/** One line for every flag of every command. */
const LINES: Readonly<Record<string, Readonly<Record<string, Line>>>> = {
  ...SUBMIT_LINES,
  ...LAUNCH_LINES,
  ...RESULT_LINES,
  ...ALERT_LINES,
  jobs: { all: [[], ['--all']], name: [[], ['--name', 'fit']], format: [[], ['-o', 'json']] },
  status: { format: [['12'], ['-o', 'json']] },
  watch: {},
  tasks: {
    state: [['12'], ['--state', 'failed']],
    index: [['12'], ['--index', '3']],
    limit: [['12'], ['--limit', '1']],
    format: [['12'], ['-o', 'jsonl']],
  },
  logs: {
    follow: [['12'], ['--follow']],
    stdout: [['12'], ['--stdout']],
    stderr: [['12'], ['--stderr']],
    index: [['12'], ['--index', '1-3']],
    state: [['12'], ['--state', 'failed']],
    attempt: [['12'], ['--attempt', '2']],
    tail: [['12'], ['--tail', '3']],
    grep: [['12'], ['--grep', 'x']],
    'ignore-case': [['12', '--grep', 'x'], ['-i']],
    diff: [['12'], ['--diff']],
    format: [
      ['12', '--diff'],
      ['-o', 'json'],
    ],
  },
  why: { format: [['12'], ['-o', 'json']] },
  events: {
    follow: [['--limit', '1'], ['--follow']],
    after: [[], ['--after', '3']],
    limit: [[], ['--limit', '1']],
    format: [[], ['-o', 'json']],
  },
  graph: { format: [['12'], ['-o', 'dot']], ascii: [['12'], ['--ascii']] },
  wait: { timeout: [['12'], ['--timeout', '1s']], quiet: [['12'], ['--quiet']], workflow: everyJob },
  cancel: { ...selection, workflow: everyJob },
  requeue: selection,
  hold: { ...selection, workflow: everyJob },
  release: { ...selection, workflow: everyJob },
  suspend: selection,
  resume: selection,
  signal: {
    ...Object.fromEntries(
      Object.entries(selection).map(([name, [words, flag]]) => [name, [[...words, '-s', 'USR1'], flag]] as const),
    ),
    signal: [['12'], ['--signal', 'USR1']],
    main: [['12', '-s', 'USR1'], ['--main']],
  },
  retry: {
    ...selection,
    workflow: everyJob,
    failed: [['12'], ['--failed']],
    memory: [['12'], ['--memory', 'x2']],
    'time-limit': [['12'], ['--time-limit', '2h']],
  },
  update: {
    throttle: [['12'], ['--throttle', '3']],
    priority: [['12'], ['--priority', '3']],
    'time-limit': [['12'], ['--time-limit', '2h']],
    memory: [['12'], ['--memory', '2G']],
    after: [['12'], ['--after', 'none']],
    begin: [['12'], ['--begin', 'none']],
    deadline: [['12'], ['--deadline', '2h']],
    'max-failures': [['12'], ['--max-failures', 'none']],
    index: [
      ['12', '--priority', '3'],
      ['--index', '1-3'],
    ],
  },
  ...INSTANCE_LINES,
  export: { output: [['12'], ['--output', 'out.json']], format: [['12'], ['--format', 'yaml']] },
  prune: {
    'older-than': [['12'], ['--older-than', '1d']],
    keep: [['12'], ['--keep', '3']],
    'dry-run': [['12'], ['--dry-run']],
    yes: [['12'], ['--yes']],
    format: [
      ['12', '--yes'],
      ['-o', 'json'],
    ],
  },
  server: {
    foreground: [['start'], ['--foreground']],
    listen: [['start'], ['--listen', '127.0.0.1:0']],
    'tls-cert': [['start'], ['--tls-cert', 'c.pem']],
    'tls-key': [['start'], ['--tls-key', 'k.pem']],
    'plain-http': [['start'], ['--plain-http']],
    format: [['status'], ['-o', 'json']],
  },
  token: {
    role: [
      ['create', 'ada'],
      ['--role', 'read'],
    ],
    owner: [
      ['create', 'ada', '--role', 'read'],
      ['--owner', 'bob'],
    ],
    expires: [
      ['create', 'ada', '--role', 'read'],
      ['--expires', '1d'],
    ],
    all: [['list'], ['--all']],
    format: [['list'], ['-o', 'json']],
  },
  config: { format: [[], ['-o', 'json']] },
  doctor: { format: [[], ['-o', 'json']] },
  completion: {},
};

const job = aJob({ state: 'failed', counts: someCounts({ failed: 10 }), startedAt: 0, endedAt: 5, exitCode: 3 });
const workflow = {
  id: 12,
  owner: '1',
  count: 1,
  state: 'failed',
  exitCode: 3,
  jobs: [{ ...job, workflow: { first: 12, count: 1, key: 'a' } }],
  edges: [],
};
const event = (id: number): EventView => ({ id, at: 0, kind: 'jobSubmitted', jobId: 12, text: 't', detail: {} });
const token = { id: 1, name: 'ada', role: 'read', owner: 'ada', createdAt: 0 };
const spec = JobSpec.parse({ run: { kind: 'shell', text: 'date' }, cwd: '/' });
const reply = async () => ({ job, tasks: 3 });

const client: NonNullable<RunOptions['client']> = {
  putBlob: async () => ({ hash: 'e'.repeat(64) }),
  submit: async ({ dryRun }: { dryRun?: boolean }) => ({ job, replayed: false, dryRun: dryRun ?? false }),
  submitWorkflow: async ({ dryRun }: { dryRun?: boolean }) => ({ workflow, replayed: false, dryRun: dryRun ?? false }),
  workflow: async () => workflow,
  workflowVerb: async () => ({ workflow, jobs: 1, tasks: 3 }),
  graph: async () => ({ jobs: [job, aJob({ id: 13 })], edges: [{ from: 12, to: 13, type: 'afterok' }], cut: false }),
  job: async () => job,
  jobs: async () => ({ jobs: [job] }),
  tasks: async () => ({ tasks: [aTask(1), aTask(2)] }),
  summary: async () => aSummary(job),
  ...RESULT_CLIENT,
  ...ALERT_CLIENT,
  watch: deltas(aDelta(job)),
  why: async () => ({ ref: '12', job, blockers: [] }),
  events: async () => ({ events: [event(1), event(2)] }),
  watchEvents: async function* () {
    yield event(1);
  },
  spec: async () => ({ id: 12, spec }),
  logs: async function* () {
    yield logBytes({ data: 'a line\n' });
  },
  grep: async function* () {
    yield { index: 1, attempt: 1, stream: 'out', text: 'x' };
  },
  diffLogs: async () => ({ lines: [], failedRead: 1, completedRead: 1, sampled: false }),
  prune: async ({ dryRun }: { dryRun: boolean }) => ({ jobs: 1, tasks: 1, bytes: 1, dryRun }),
  cancel: reply,
  retry: reply,
  requeue: reply,
  hold: reply,
  release: reply,
  suspend: reply,
  resume: reply,
  signal: reply,
  update: reply,
  createToken: async () => ({ token: 'x', view: token }),
  tokens: async () => ({ tokens: [token] }),
  server: async () => aServer(),
  instances: async () => ({ instances: [anInstance(0), anInstance(1)] }),
  instanceVerb: async () => ({ members: [aMember(0)] }),
  resize: async () => ({ members: [aMember(1)] }),
  cost: async () => aCost(),
  budget: async () => aBudget(),
  setBudget: async () => aBudget(),
};

/** All that can be seen of a run: what was asked for and said, and how it ended. */
async function seen(words: readonly string[], tty = false): Promise<string> {
  const asked: unknown[] = [];
  const control = (name: string, answer: unknown) => async (flags?: unknown) => {
    asked.push([name, flags]);
    return answer;
  };
  const server = async () => ({
    start: control('start', { started: true, server: aServer() }),
    serveHere: control('serveHere', 0),
    stop: control('stop', true),
    status: control('status', aServer()),
  });
  const pause = async (ms: number) => {
    asked.push(['pause', ms]);
    await new Promise((resolve) => setImmediate(resolve));
  };
  // A terminal to read from, so that what is asked before is seen.
  // With a coordinator elsewhere no launch depends on the size of this machine.
  const env = { HOME: folder, ...(words[0] === 'launch' ? { SPAWN_SERVER: 'http://127.0.0.1:1' } : {}) };
  const world = { cwd: folder, server, pause, env } as NonNullable<RunOptions['world']>;
  const { calls, ...rest } = await runCli(words, { client, world, stdin: 'terminal', tty });
  return JSON.stringify({ ...rest, calls, asked }, (_, value) => (value instanceof AbortSignal ? 'signal' : value));
}

/**
 * Flags that are shown elsewhere: what connect does is in commands/connect.test.ts; `-y` is for scripts that give it to every verb on
 * instances, also to those that ask nothing.
 */
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  connect: ['no-start', 'timeout'],
  extend: ['yes'],
  start: ['yes'],
  hibernate: ['yes'],
};

describe.each(COMMANDS)('spawn $name', ({ name, load }) => {
  test('every flag has a line here, and no line is of a flag that is gone', async () => {
    const { options } = await load();
    const told = [...Object.keys(LINES[name] ?? {}), ...(ELSEWHERE[name] ?? [])];
    expect(told.sort()).toEqual(Object.keys(options).sort());
  });

  test.each(Object.entries(LINES[name] ?? {}))('--%s changes something', async (flag, [before, given, after = []]) => {
    expect(given[0]).toMatch(new RegExp(`^(?:--${flag}|-[a-z])$`));
    // Only there is anything waited for that it makes not to be.
    const tty = name === 'launch' && flag === 'detach';
    const without = await seen([name, ...before, ...after], tty);
    const changed = await seen([name, ...before, ...given, ...after], tty);
    // A refusal, or a fault of this test, would differ too.
    expect([2, 70]).not.toContain(JSON.parse(changed).code);
    expect(changed).not.toBe(without);
  });
});
