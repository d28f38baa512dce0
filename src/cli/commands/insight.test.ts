import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aJob, aTask, runCli } from '../../../test/support/cli-world.ts';
import type { PruneRequest } from '../../api/access.ts';
import type { EventsQuery, EventView, WhyReply } from '../../api/insight.ts';
import { JobSpec } from '../../api/job-spec.ts';

describe('why', () => {
  const reply: WhyReply = {
    ref: '12',
    job: aJob({ state: 'blocked' }),
    blockers: [
      {
        rule: 'dependency',
        text: 'waits for job 11',
        tasks: 10,
        holders: [{ kind: 'job', id: '11', text: 'running, 3 of 9 tasks left' }],
        untilAt: 1_120_000,
      },
    ],
  };
  const client = {
    why: async (ref: string) => (ref === '12' ? reply : { ...reply, ref, blockers: [], task: aTask(7) }),
  };

  test('of a job', async () => {
    const { out, calls } = await runCli(['why', '12'], { client });
    expect(calls).toEqual([['why', '12']]);
    expect(out).toBe(
      [
        'Job 12: fit is blocked',
        '  waits for job 11 (10 tasks)',
        '    job 11: running, 3 of 9 tasks left',
        '    until about 1970-01-01T00:18:40.000Z, in 1m00s',
        '',
      ].join('\n'),
    );
  });

  test('of a task that nothing keeps', async () => {
    const { out, calls } = await runCli(['why', '12_7'], { client });
    expect(calls).toEqual([['why', '12_7']]);
    expect(out).toBe('Task 12_7 of fit is ready\n  nothing keeps it: it may start at any moment\n');
  });

  test('as JSON', async () => {
    expect(JSON.parse((await runCli(['why', '12', '-o', 'json'], { client })).out)).toEqual({
      ref: '12',
      job_id: 12,
      job_state: 'blocked',
      task_state: null,
      blockers: [
        {
          rule: 'dependency',
          text: 'waits for job 11',
          tasks: 10,
          until_at: '1970-01-01T00:18:40.000Z',
          holders: [{ kind: 'job', id: '11', text: 'running, 3 of 9 tasks left' }],
        },
      ],
    });
  });

  test('of several tasks is refused', async () => {
    expect(await runCli(['why', '12_[1-3]'])).toMatchObject({
      code: 2,
      err: 'spawn: why: expected a job or a single task, as 12_7, found "12_[1-3]"\n',
    });
  });
});

describe('events', () => {
  const event = (id: number): EventView => ({
    id,
    at: 0,
    kind: 'jobSubmitted',
    jobId: 12,
    text: 'a\tb',
    detail: { size: 3 },
  });
  const events = async ({ after }: EventsQuery) =>
    after === 0 ? { events: [event(1), event(2)], next: 2 } : { events: [event(after + 1)] };

  test('every page, tab-separated', async () => {
    const { out, calls } = await runCli(['events', '12'], { client: { events } });
    const line = (id: number) => `${id}\t1970-01-01T00:00:00.000Z\tjobSubmitted\t12\ta\\tb\n`;
    expect(out).toBe(line(1) + line(2) + line(3));
    expect(calls).toEqual([
      ['events', { ref: '12', after: 0, limit: 10_000 }],
      ['events', { ref: '12', after: 2, limit: 10_000 }],
    ]);
  });

  test.each([
    [['--after', '5'], { after: 5, limit: 10_000 }],
    [['12_7', '--limit', '1', '--after', '5'], { ref: '12_7', after: 5, limit: 1 }],
    [['12_[1,3]', '--after', '5'], { ref: '12_[1,3]', after: 5, limit: 10_000 }],
  ])('%j', async (words, query) => {
    expect((await runCli(['events', ...words], { client: { events } })).calls).toEqual([['events', query]]);
  });

  test('as JSON', async () => {
    const { out } = await runCli(['events', '--after', '8', '-o', 'json'], { client: { events } });
    const row = { id: 9, at: '1970-01-01T00:00:00.000Z', kind: 'job_submitted', job_id: 12, task: null };
    expect(JSON.parse(out)).toEqual([{ ...row, text: 'a\tb', detail: { size: 3 } }]);
    const lines = await runCli(['events', '--after', '8', '-o', 'jsonl'], { client: { events } });
    expect(JSON.parse(lines.out)).toMatchObject(row);
  });

  test('--follow goes on until so many came', async () => {
    const watchEvents = async function* () {
      for (let id = 1; ; id++) yield event(id);
    };
    const { out, calls } = await runCli(['events', '-f', '--limit', '3'], { client: { watchEvents } });
    expect(out.split('\n')).toHaveLength(4);
    expect(calls[0]).toMatchObject(['watchEvents', { after: 0 }, {}]);
    const json = await runCli(['events', '--follow', '-o', 'json']);
    expect(json).toMatchObject({
      code: 2,
      err: 'spawn: events: expected -o jsonl with --follow, found -o json, which has an end\n',
    });
  });
});

describe('export', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'spawn-export-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const run = { kind: 'script' as const, hash: 'a'.repeat(64), name: 'run.sh', args: ['x'] };
  const spec = JobSpec.parse({ run, cwd: '/tmp', array: '0-9', retries: 2, user: 'ada', envSnapshot: 'e'.repeat(64) });
  const client = { spec: async () => ({ id: 12, spec, script: { encoding: 'utf8', content: 'date\n' } }) };
  const file = {
    array: '0-9',
    envSnapshot: 'e'.repeat(64),
    cwd: '/tmp',
    umask: 0o022,
    retries: 2,
    run: { kind: 'script', name: 'run.sh', args: ['x'], content: 'date\n' },
  };

  test('gives what differs from the defaults, with the script', async () => {
    expect(JSON.parse((await runCli(['export', '12'], { client })).out)).toEqual(file);
  });

  test('--output writes it into a file', async () => {
    const ran = await runCli(['export', '12', '--output', 'fit.json'], { client, world: { cwd: folder } });
    expect(ran).toMatchObject({ code: 0, out: '' });
    expect(JSON.parse(readFileSync(join(folder, 'fit.json'), 'utf8'))).toEqual(file);
    const bad = await runCli(['export', '12', '--output', '/no/such/fit.json'], { client });
    expect(bad).toMatchObject({
      code: 2,
      err: 'spawn: --output: file "/no/such/fit.json" cannot be written: ENOENT\n',
    });
  });
});

describe('prune', () => {
  const client = {
    job: async (ref: string) => aJob({ id: Number(ref) }),
    prune: async ({ dryRun = false }: PruneRequest) => ({ jobs: 2, tasks: 1_200, bytes: 2_048, dryRun }),
  };
  const month = 30 * 86_400_000;

  test.each([
    [['--older-than', '30d'], { olderThanMs: month, dryRun: false }, 'removed 2 jobs (1,200 tasks, 2.0K)\n'],
    [['--older-than', '30d', '--keep', '5'], { olderThanMs: month, keep: 5, dryRun: false }, /^removed/],
    [
      ['--keep', '5', '--dry-run'],
      { olderThanMs: 0, keep: 5, dryRun: true },
      'would remove 2 jobs (1,200 tasks, 2.0K)\n',
    ],
    [['12', '13'], { olderThanMs: 0, ids: [12, 13], dryRun: false }, /^removed/],
  ])('%j', async (words, request, told) => {
    const { out, calls } = await runCli(['prune', ...words], { client });
    expect(calls.filter(([name]) => name === 'prune')).toEqual([['prune', request]]);
    expect(out).toMatch(told);
  });

  test('asks on a terminal, and takes no answer for no', async () => {
    const asked = async (answer: string | undefined, ...words: string[]) => {
      const world = answer === undefined ? {} : { ask: async () => answer };
      const ran = await runCli(['prune', '--keep', '0', ...words], { client, world, stdin: 'terminal' });
      return { ...ran, pruned: ran.calls.map((call) => (call[1] as PruneRequest).dryRun) };
    };
    expect(await asked(undefined)).toMatchObject({
      code: 1,
      pruned: [true],
      err: 'Remove 2 jobs (1,200 tasks, 2.0K) for ever? [y/N] spawn: prune: nothing was removed\n',
    });
    expect(await asked('n')).toMatchObject({ code: 1, pruned: [true] });
    expect(await asked('y')).toMatchObject({ code: 0, pruned: [true, false] });
    expect(await asked('n', '--yes')).toMatchObject({ code: 0, pruned: [false] });
    expect(await asked('n', '--dry-run')).toMatchObject({ code: 0, pruned: [true] });
  });

  test('without anything to go by it is refused', async () => {
    expect(await runCli(['prune', '--yes'])).toMatchObject({
      code: 2,
      err: 'spawn: prune: expected --older-than, --keep or JOB, found nothing; see: spawn help prune\n',
    });
  });
});
