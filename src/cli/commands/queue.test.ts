import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aDelta, aJob, deltas, runCli, someCounts } from '../../../test/support/cli-world.ts';
import type { JobView } from '../../api/job.ts';
import type { WorkflowRequestInput, WorkflowView } from '../../api/workflow.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-queue-'));
  mkdirSync(join(folder, 'sub'));
  writeFileSync(join(folder, 'sub/train.sh'), '#!/bin/sh\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

const QUEUE = `name: night
on_failure: stop
timeout: 4h
env: {A: '1', B: '1'}
jobs:
  - {id: prep, command: ./prep, retry: 2, timeout: 30m}
  - {id: train, script: train.sh, args: [-v], depends_on: [prep], env: {B: '2'}, on_failure: continue}
  - {id: report, command: ./report, depends_on: [train, prep], result_paths: [r.txt], retry: {max_attempts: 2, backoff: exponential}}
`;

function aView(key: string, part: Partial<JobView>): JobView {
  const workflow = { first: 1, count: 2, key };
  return aJob({ size: 1, name: key, workflow, startedAt: 1_000, endedAt: 3_500, exitCode: 0, ...part });
}

async function run(words: readonly string[], text = QUEUE, workflow: Partial<WorkflowView> = {}) {
  writeFileSync(join(folder, 'sub/q.yaml'), text);
  const jobs = [
    aView('prep', { id: 1, state: 'completed', counts: someCounts({ completed: 1 }) }),
    aView('train', { id: 2, state: 'failed', counts: someCounts({ failed: 1 }), exitCode: 3 }),
  ];
  const view: WorkflowView = { id: 1, owner: '1', count: 2, state: 'ready', jobs, edges: [], ...workflow };
  const ran = await runCli(['queue', 'run', 'sub/q.yaml', ...words], {
    client: {
      putBlob: async (kind: string) => ({ hash: (kind === 'env' ? 'e' : 's').repeat(64) }),
      submitWorkflow: async ({ dryRun }: WorkflowRequestInput) => ({
        workflow: view,
        replayed: false,
        dryRun: dryRun ?? false,
      }),
      watch: (ref: string) => deltas(aDelta(jobs[Number(ref) - 1]!))(),
      job: async (ref: string) => jobs[Number(ref) - 1],
      workflow: async () => ({ ...view, state: 'failed', exitCode: 3 }),
    },
    world: { cwd: folder },
  });
  const request = ran.calls.find(([name]) => name === 'submitWorkflow')?.[1] as WorkflowRequestInput | undefined;
  return { ...ran, request };
}

describe('spawn queue run', () => {
  test('submits a workflow: what waits for what, how it is tried, where it runs', async () => {
    const { request } = await run(['--detach']);
    expect(request).toMatchObject({ name: 'night', dryRun: false });
    const [prep, train, report] = request!.jobs;
    expect(prep).toMatchObject({
      key: 'prep',
      onFailure: 'stop',
      spec: {
        run: { kind: 'shell', text: './prep' },
        cwd: join(folder, 'sub'),
        env: { A: '1', B: '1' },
        retries: 2,
        timeLimitMs: 1_800_000,
        deadlineInMs: 14_400_000,
        envSnapshot: 'e'.repeat(64),
      },
    });
    expect(prep!.spec.after).toBeUndefined();
    expect(train).toMatchObject({
      key: 'train',
      onFailure: 'continue',
      spec: {
        run: { kind: 'script', name: 'train.sh', args: ['-v'] },
        env: { A: '1', B: '2' },
        after: 'afterok:@prep',
      },
    });
    expect(report!.spec).toMatchObject({
      after: 'afterok:@train,afterok:@prep',
      retries: 1,
      retryDelayMs: 1_000,
      retryBackoff: 'exponential',
    });
    const { run: runs } = report!.spec;
    expect(runs.kind === 'shell' && runs.text).toContain(`to='${join(folder, 'sub/results/report')}'`);
  });

  test('puts results where the command line says', async () => {
    const { request } = await run(['--detach', '--results', 'there']);
    const { run: runs } = request!.jobs[2]!.spec;
    expect(runs.kind === 'shell' && runs.text).toContain(`to='${join(folder, 'there/report')}'`);
  });

  test('waits, tells how each job ended, and exits with the highest code', async () => {
    const { code, out, err } = await run([]);
    expect([code, out]).toEqual([3, 'Submitted workflow 1: 2 jobs\n']);
    expect(err.split('\n').toSorted()).toEqual([
      '',
      'prep: job 1 completed in 2.5s',
      'train: job 2 failed (exit code 3) in 2.5s',
    ]);
  });

  test('speaks JSON, little, or of what would be', async () => {
    const json = await run(['-o', 'json']);
    expect(JSON.parse(json.out)).toMatchObject({
      id: 1,
      state: 'failed',
      exit_code: 3,
      jobs: [{ key: 'prep' }, { key: 'train' }],
    });
    expect((await run(['--detach', '-q'])).out).toBe('1\n');
    expect(await run(['--dry-run'])).toMatchObject({ code: 0, out: 'Would submit 2 jobs\n' });
  });

  test('refuses what is wrong before anything is stored', async () => {
    const wrong = await run([], 'jobs:\n- {id: a, command: x, depends_on: [b]}\n');
    expect([wrong.code, wrong.calls]).toEqual([2, []]);
    expect(wrong.err).toContain('sub/q.yaml:2:36: jobs[0].depends_on[0]: expected one of the jobs a, found "b"');
    expect(await run([], 'jobs:\n- {id: a, command: x, cwd: nowhere}\n')).toMatchObject({
      code: 2,
      err: expect.stringContaining('jobs[0].cwd: expected a directory that exists'),
    });
    for (const [words, message] of [
      [['queue', 'walk', 'x'], 'queue: expected run, found "walk"'],
      [['queue', 'run'], 'queue: expected FILE, found nothing'],
      [['queue', 'run', 'x', '-q', '-o', 'json'], 'expected --quiet or -o json, found both'],
      [['queue', 'run', '/nowhere/q.yaml'], 'queue run: file "/nowhere/q.yaml" not found'],
    ] as const) {
      expect(await runCli(words)).toMatchObject({ code: 2, err: expect.stringContaining(message) });
    }
  });
});
