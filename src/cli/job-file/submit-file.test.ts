import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { aDelta, aJob, deltas, type RunOptions, runCli, someCounts } from '../../../test/support/cli-world.ts';
import type { SubmitRequestInput } from '../../api/job.ts';
import type { WorkflowRequestInput } from '../../api/workflow.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-job-file-'));
  mkdirSync(join(folder, 'jobs'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (text: string, path = 'jobs/job.yaml') => writeFileSync(join(folder, path), text);
const HASH = 'e'.repeat(64);

async function run(words: readonly string[], options: RunOptions = {}) {
  const ran = await runCli(words, {
    ...options,
    world: { cwd: folder, env: { HOME: folder, N: '3', SPAWN_SERVER: 'http://127.0.0.1:1' }, ...options.world },
    client: {
      putBlob: async () => ({ hash: HASH }),
      job: async (ref: string) => aJob({ id: ref === 'prepare' ? 7 : 12 }),
      submit: async ({ dryRun }: SubmitRequestInput) => ({ job: aJob(), replayed: false, dryRun: dryRun ?? false }),
      submitWorkflow: async ({ jobs, name, dryRun }: WorkflowRequestInput) => ({
        workflow: {
          id: 12,
          ...(name === undefined ? {} : { name }),
          owner: '1000',
          count: jobs.length,
          state: 'ready',
          jobs: jobs.map(({ key }, at) => aJob({ id: 12 + at, name: key })),
          edges: [],
        },
        replayed: false,
        dryRun: dryRun ?? false,
      }),
      ...options.client,
    },
  });
  const spec = (ran.calls.find(([name]) => name === 'submit')?.[1] as SubmitRequestInput | undefined)?.spec;
  const workflow = ran.calls.find(([name]) => name === 'submitWorkflow')?.[1] as WorkflowRequestInput | undefined;
  return { ...ran, spec, workflow };
}

describe('submit', () => {
  test('a file: what it says, in its directory, for the words before and behind it', async () => {
    write(
      'array: 10%2\nenv: {A: 1}\nparams: {lr: 0.1}\nalgorithm: {command: [fit, "${lr}"], cwd: ..}\ncompute: {memory: 1G}\n',
    );
    const { code, out, spec } = await run(['submit', '--hold', 'jobs/job.yaml', '--param', 'lr=0.5', '--env', 'B=2']);
    expect({ code, out }).toEqual({ code: 0, out: 'Submitted job 12: fit, 10 tasks (array id fit-20261121-ab12cd)\n' });
    expect(spec).toMatchObject({
      array: '0-9',
      throttle: 2,
      run: { kind: 'argv', argv: ['fit', '0.5'] },
      params: { lr: 0.5 },
      env: { A: '1', B: '2' },
      cwd: folder,
      memoryBytes: 1024 ** 3,
      hold: true,
      envSnapshot: HASH,
    });
  });

  test('a script by its path from the directory of the tasks, and in the file itself', async () => {
    write('#!/bin/sh\ntrue\n', 'jobs/run.sh');
    write('algorithm: {script: run.sh, args: [1e3]}');
    const by = await run(['submit', 'jobs/job.yaml']);
    expect(by.spec?.run).toEqual({ kind: 'script', hash: HASH, name: 'run.sh', args: ['1e3'] });
    write('algorithm:\n  script: |\n    #!/bin/sh\n    echo "${HOME}"\n');
    const inside = await run(['submit', 'jobs/job.yaml']);
    expect(inside.spec?.run).toMatchObject({ kind: 'script', name: 'script' });
    const blob = inside.calls.find(([name, kind]) => name === 'putBlob' && kind === 'script')?.[2] as Uint8Array;
    expect(Buffer.from(blob).toString()).toBe('#!/bin/sh\necho "${HOME}"\n');
  });

  test('names of other jobs become numbers, and data of the environment its text', async () => {
    write('after: {afterok: [prepare, 3]}\nalgorithm: {command: x}\ncompute: {concurrency: "${env:N}"}\n');
    expect((await run(['submit', 'jobs/job.yaml'])).spec).toMatchObject({ after: 'afterok:7:3', throttle: 3 });
  });

  test('a file that is wrong: all of it, and nothing is asked', async () => {
    write('algorithm: {comand: x}\nname: a b\n');
    const { code, out, err, calls } = await run(['submit', 'jobs/job.yaml']);
    expect({ code, out, calls }).toEqual({ code: 2, out: '', calls: [] });
    expect(err.split('\n')).toHaveLength(4);
    expect(err).toContain('jobs/job.yaml:1:13: algorithm.comand: expected one of command, script,');
    expect(err).toContain('jobs/job.yaml:2:7: name: expected only letters, digits');
  });

  test('a table of parameters', async () => {
    write('algorithm: {command: x}\nadvanced: {sweep: [{lr: 1}], matrix: {b: [x, y], a: [1, 2]}}\n');
    const { spec, calls } = await run(['submit', 'jobs/job.yaml']);
    expect(spec).toMatchObject({ array: '0-4', paramTable: HASH });
    const rows = calls
      .filter(([name, kind]) => name === 'putBlob' && kind === 'params')
      .map(([, , bytes]) => Buffer.from(bytes as Uint8Array).toString());
    expect(rows[0]).toBe('{"lr":1}\n{"a":1,"b":"x"}\n{"a":1,"b":"y"}\n{"a":2,"b":"x"}\n{"a":2,"b":"y"}');
  });

  test.each([
    [['submit', 'jobs/job.yaml', 'more'], 'submit: expected no argument, found "more" too'],
    [['submit', 'jobs/job.yaml', '--', 'x'], 'submit: expected no argument, found "x" too'],
    [['submit', '--quiet', 'jobs/job.yaml', '--quiet'], 'submit: --quiet: expected once, found twice'],
    [['submit', '--command', 'x', 'jobs/job.yaml'], 'submit: expected a job file or --command, found both'],
    [
      ['submit', 'jobs/job.yaml', '--param', 'x'],
      '--param: expected NAME=VALUE, NAME that of a parameter of the file, found "x"',
    ],
    [['submit', '--param', 'x=1', 'run.sh'], 'submit: --param: expected a job file (FILE.yaml) with it, found none'],
    [['submit', 'none.yaml'], 'submit: file "none.yaml" not found'],
    [
      ['run', 'jobs/run.sh'],
      'run: expected a job file (.yaml, .yml or .json), found "jobs/run.sh"; a script or program: spawn submit --wait',
    ],
  ])('%j is refused', async (words, message) => {
    write('algorithm: {command: x}');
    expect(await run(words)).toMatchObject({ code: 2, out: '', err: `spawn: ${message}\n`, calls: [] });
  });

  test('a script stays one, whatever it is called', async () => {
    write('#!/usr/bin/env ansible-playbook\n- hosts: all\n', 'play.yaml');
    expect((await run(['submit', 'play.yaml', 'x'])).spec?.run).toMatchObject({
      kind: 'script',
      name: 'play.yaml',
      args: ['x'],
    });
  });
});

describe('submit of stages', () => {
  const stages = `name: etl
env: {A: 1}
compute: {cpus: 2, memory: 1G}
notification: [{email: ada@example.org, on: [completed, ended, failed]}]
advanced:
  log_limit: 1M
  stages:
    extract: {algorithm: {command: x}, array: 3}
    clean: {algorithm: {command: y, cwd: ..}, after: {aftercorr: extract}, compute: {cpus: 1}, array: 3}
    load:
      algorithm: {command: z}
      after: [afterok:clean, afterany:7]
      input: {from: clean.output, as: jsonl, cut: {rows: 5}}
      advanced: {on_failure: stop}
`;

  test('all in one request, with what stands beside them', async () => {
    write(stages);
    const { code, out, workflow } = await run(['submit', 'jobs/job.yaml']);
    expect({ code, out }).toEqual({
      code: 0,
      out: 'Submitted workflow 12 etl: 3 jobs (12 extract, 13 clean, 14 load)\n',
    });
    const [extract, clean, load] = workflow!.jobs;
    expect(extract).toMatchObject({
      key: 'extract',
      spec: {
        array: '0-2',
        cpus: 2,
        memoryBytes: 1024 ** 3,
        env: { A: '1' },
        notify: [{ events: ['workflow_ended', 'failed'] }],
      },
    });
    expect(clean).toMatchObject({
      spec: { after: 'aftercorr:@extract', cpus: 1, memoryBytes: 1024 ** 3, cwd: folder },
    });
    expect(load).toMatchObject({
      onFailure: 'stop',
      spec: {
        after: 'afterok:@clean,afterany:7',
        input: { type: 'job', job: 'clean', as: 'jsonl', cut: { rows: 5 } },
        logCapBytes: 1024 ** 2,
        cwd: join(folder, 'jobs'),
      },
    });
  });

  test('options of one job are refused', async () => {
    write(stages);
    expect(await run(['submit', 'jobs/job.yaml', '--cpus', '3'])).toMatchObject({
      code: 2,
      err: 'spawn: submit: --cpus: expected it in the stages of the file, found it here\n',
      calls: [],
    });
  });

  test('--dry-run', async () => {
    write(stages);
    expect((await run(['submit', 'jobs/job.yaml', '--dry-run'])).out).toBe(
      'Would submit workflow etl: 3 jobs (extract, clean, load)\n',
    );
  });
});

describe('run', () => {
  const ended = aJob({
    state: 'failed',
    counts: someCounts({ completed: 9, failed: 1 }),
    exitCode: 3,
    endedAt: 1_001_000,
  });

  test('stays to the end and exits with the result', async () => {
    write('array: 10\nalgorithm: {command: x}');
    const { code, err } = await run(['run', 'jobs/job.yaml'], {
      client: { watch: deltas(aDelta(ended)), job: async () => ended, tasks: async () => ({ tasks: [] }) },
    });
    expect({ code, err }).toEqual({ code: 3, err: 'job 12 failed: 9 completed, 1 failed in 1.0s\n' });
  });

  test('cancels the job when it is stopped', async () => {
    write('algorithm: {command: x}');
    let interrupt: (exitCode: number) => void = () => {};
    const { code, err, calls } = await run(['run', 'jobs/job.yaml'], {
      world: {
        onInterrupt: (listener) => {
          interrupt = listener;
          return () => {};
        },
      },
      client: {
        watch: async function* () {
          interrupt(130);
          yield* [];
        },
        cancel: async () => ({}),
      },
    });
    expect({ code, err }).toEqual({ code: 130, err: 'spawn: job 12 was cancelled\n' });
    expect(calls.at(-1)).toEqual(['cancel', '12', {}]);
  });
});

describe('validate', () => {
  test('tells of every file', async () => {
    write('algorithm: {command: x}\ninput: a.csv\n', 'a.yaml');
    write('advanced: {stages: {s: {algorithm: {command: x}}}}', 'b.json');
    write('{"algorithm": {"command": "x"}, "cpus": 1}', 'c.json');
    const { code, out, err } = await run(['validate', 'a.yaml', 'c.json']);
    expect({ code, out }).toEqual({ code: 2, out: 'a.yaml: valid, one job, a task for each part of its input\n' });
    expect(err).toMatch(/^c\.json:1:33: cpus: .*; did you mean "compute\.cpus"\?\n$/);
    const json = await run(['validate', 'a.yaml', 'c.json', '-o', 'json']);
    expect(JSON.parse(json.out)).toEqual([
      { path: 'a.yaml', valid: true, jobs: 1, faults: [] },
      {
        path: 'c.json',
        valid: false,
        jobs: null,
        faults: [expect.objectContaining({ line: 1, column: 33, where: 'cpus' })],
      },
    ]);
  });

  test('reads standard input', async () => {
    const ran = await run(['validate', '-'], { stdin: 'algorithm: {command: x}\nfoo: 1\n' });
    expect(ran).toMatchObject({ code: 2, out: '', calls: [] });
    expect(ran.err).toMatch(/^\(standard input\):2:1: foo: /);
  });

  test('a script that is not there', async () => {
    write('algorithm: {script: none.sh}');
    expect((await run(['validate', 'jobs/job.yaml'])).err).toBe(`script: file "${folder}/jobs/none.sh" not found\n`);
  });

  test('prints the JSON Schema', async () => {
    expect(JSON.parse((await run(['validate', '--schema'])).out)).toMatchObject({ title: 'Job file of spawn' });
  });

  test.each([
    [['validate'], 'validate: expected FILE, found nothing; see: spawn help validate'],
    [['validate', '--schema', 'x'], 'validate: expected --schema alone, found "x" too'],
  ])('%j is refused', async (words, message) => {
    expect(await run(words)).toMatchObject({ code: 2, err: `spawn: ${message}\n` });
  });
});
