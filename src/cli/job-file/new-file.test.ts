import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { aJob, type RunOptions, runCli } from '../../../test/support/cli-world.ts';
import type { SpecReply } from '../../api/insight.ts';
import type { SubmitRequestInput } from '../../api/job.ts';
import { JobSpec } from '../../api/job-spec.ts';
import { BUILT_IN_TEMPLATES } from '../../config/job-file/built-in-templates.ts';
import { readJobFile } from '../../config/job-file/read-job-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-init-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (path: string) => join(folder, path);

function run(words: readonly string[], options: RunOptions = {}) {
  return runCli(words, {
    ...options,
    world: { cwd: folder, env: { HOME: folder, SPAWN_SERVER: 'http://127.0.0.1:1' }, ...options.world },
    client: {
      putBlob: async () => ({ hash: 'e'.repeat(64) }),
      submit: async () => ({ job: aJob(), replayed: false, dryRun: false }),
      ...options.client,
    },
  });
}

describe('the templates that come with the program', () => {
  test.each(BUILT_IN_TEMPLATES)('$name is valid, and says what it is', ({ text }) => {
    expect(readJobFile('job.yaml', text).description).not.toBe('');
    expect(text).not.toContain('\t');
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
  });

  test.each(BUILT_IN_TEMPLATES)(
    '$name with all that is switched off switched on is still YAML of the same keys',
    ({ text }) => {
      const switched = text.replaceAll(/^( *)# (\w+:(?: |$)| {2})/gm, '$1$2');
      // Two ways to say one thing stand side by side in it; each is known.
      const says = (() => {
        try {
          return String(readJobFile('job.yaml', switched));
        } catch (error) {
          return (error as Error).message;
        }
      })();
      expect(says).not.toContain('expected one of');
    },
  );
});

describe('init', () => {
  test('copies a template, and never writes over a file', async () => {
    expect(await run(['init', '--template', 'csv', 'rows.yaml'])).toMatchObject({
      code: 0,
      out: 'wrote rows.yaml; next: spawn run rows.yaml, or spawn submit rows.yaml\n',
      calls: [],
    });
    const text = BUILT_IN_TEMPLATES.find(({ name }) => name === 'csv')!.text;
    expect(readFileSync(at('rows.yaml'), 'utf8')).toBe(text);
    writeFileSync(at('rows.yaml'), 'mine');
    expect(await run(['init', 'rows.yaml'])).toMatchObject({
      code: 2,
      err: 'spawn: init: expected a file that is not there yet, found "rows.yaml"\n',
    });
    expect(readFileSync(at('rows.yaml'), 'utf8')).toBe('mine');
  });

  test('without a terminal and a name: job.yaml, to begin with', async () => {
    expect((await run(['init'])).code).toBe(0);
    expect(readJobFile('job.yaml', readFileSync(at('job.yaml'), 'utf8')).array).toEqual({
      indices: '0-9',
      throttle: 4,
      size: 10,
    });
  });

  test.each([
    [['init', 'job.json'], 'init: expected a name that ends in .yaml or .yml, found "job.json"'],
    [['init', 'none/job.yaml'], 'init: file "none/job.yaml" cannot be written: ENOENT'],
    [
      ['init', '--template', 'cvs'],
      'init: --template: expected one of array, csv, handler, parameters, script, stages, sweep, found "cvs"; did you mean "csv"?',
    ],
  ])('%j is refused', async (words, message) => {
    expect(await run(words)).toMatchObject({ code: 2, err: `spawn: ${message}\n` });
    expect(existsSync(at('job.yaml'))).toBe(false);
  });

  const dialogue = async (answers: string[]) => {
    const asked: string[] = [];
    const ran = await run(['init', 'my.yaml'], {
      tty: true,
      stdin: 'terminal',
      world: {
        ask: async (question) => {
          asked.push(question);
          return answers.shift() ?? '';
        },
      },
    });
    return { ...ran, asked };
  };

  test('asks at a terminal, and again after a wrong answer', async () => {
    const answers = ['fit all', 'fit', 'python fit.py "yes: #no"', 'data/*', 'data/*.csv', '2', '4 gigs', '4G'];
    const { code, err, asked } = await dialogue(answers);
    expect(code).toBe(0);
    expect(err).toBe(
      [
        '  expected only letters, digits, ".", "_" and "-", found "fit all"\n',
        '  expected files, text, jsonl, csv, json, binary, list, range, module, stage or job, found nothing\n',
        '  expected a size as 512K, 64M or 4G, found "4 gigs"\n',
      ].join(''),
    );
    expect(asked).toHaveLength(8);
    expect(readJobFile('my.yaml', readFileSync(at('my.yaml'), 'utf8'))).toEqual({
      name: 'fit',
      input: { type: 'csv', from: ['data/*.csv'] },
      algorithm: { command: 'python fit.py "yes: #no"' },
      compute: { cpus: 2, memory: 4 * 1024 ** 3 },
    });
  });

  test('gives up after five wrong answers, and writes nothing', async () => {
    expect((await dialogue(Array(9).fill('!'))).code).toBe(2);
    expect(existsSync(at('my.yaml'))).toBe(false);
  });
});

describe('template', () => {
  const kept = () => at('.config/spawn/templates/mine.job.yaml');

  test('keeps a job file, shows it, submits it in the present directory, and deletes it', async () => {
    writeFileSync(
      at('job.yaml'),
      'description: "what: it is"\nparams: {n: 2}\narray: "${n}"\nalgorithm: {command: x}\n',
    );
    expect((await run(['template', 'save', 'mine', 'job.yaml'])).out).toBe(`saved ${kept()}\n`);
    expect((await run(['template', 'save', 'mine', 'job.yaml'])).out).toBe(`replaced ${kept()}\n`);
    expect((await run(['template', 'list'])).out).toContain('mine\tjob\twhat: it is\n');
    expect((await run(['template', 'show', 'mine'])).out).toBe(readFileSync(at('job.yaml'), 'utf8'));
    expect(JSON.parse((await run(['template', 'show', 'mine', '-o', 'json'])).out)).toMatchObject({
      name: 'mine',
      kind: 'job',
      path: kept(),
    });
    const { calls } = await run(['template', 'use', 'mine', '--param', 'n=5', '--hold']);
    const request = calls.find(([name]) => name === 'submit')?.[1] as SubmitRequestInput;
    expect(request.spec).toMatchObject({ array: '0-4', hold: true, cwd: folder });
    expect((await run(['init', '--template', 'mine', '-'])).out).toBe(readFileSync(at('job.yaml'), 'utf8'));
    expect((await run(['template', 'delete', 'mine'])).out).toBe(`deleted ${kept()}\n`);
    expect((await run(['template', 'use', 'mine'])).code).toBe(2);
  });

  test('one that came with the program is used as well', async () => {
    const { code, calls } = await run(['template', 'use', 'parameters', '--param', 'who=a b']);
    expect(code).toBe(0);
    const request = calls.find(([name]) => name === 'submit')?.[1] as SubmitRequestInput;
    expect(request.spec.run).toMatchObject({ argv: ['echo', 'hello a b', 'from nobody'] });
  });

  test.each([
    [['save', 'mine', 'bad.yaml'], /^spawn: bad\.yaml:1:1: foo: expected one of /],
    [
      ['save', 'mine', 'job.yaml', '--hold'],
      /^spawn: template save: expected the job file alone, found "--hold" too\n$/,
    ],
    [
      ['save', 'gpu', 'job.yaml'],
      /^spawn: template save: expected another name, found "gpu", which is a template of spawn launch\n$/,
    ],
    [['use', 'csv', 'x'], /^spawn: template use: expected no argument, found "x" too\n$/],
  ])('%j is refused', async (words, message) => {
    writeFileSync(at('job.yaml'), 'algorithm: {command: x}');
    writeFileSync(at('bad.yaml'), 'foo: 1\nalgorithm: {command: x}');
    await run(['template', 'save', 'gpu', '--ttl', '2h']);
    const { code, err } = await run(['template', ...words]);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });

  test('a launch is not kept under the name of a job file', async () => {
    writeFileSync(at('job.yaml'), 'algorithm: {command: x}');
    await run(['template', 'save', 'mine', 'job.yaml']);
    const { err } = await run(['template', 'save', 'mine', '--ttl', '2h']);
    expect(err).toBe(
      'spawn: template save: expected another name, found "mine", which is a job file; see: spawn help template\n',
    );
  });
});

describe('export --format yaml', () => {
  const spec = (part: object) => JobSpec.parse({ run: { kind: 'argv', argv: ['fit', '${x}'] }, cwd: '/work', ...part });
  const exported = (reply: SpecReply) =>
    run(['export', '12', '--format', 'yaml'], { client: { spec: async () => reply } });

  test('writes a file that says the same', async () => {
    const { out, err } = await exported({
      id: 12,
      spec: spec({ name: 'fit', array: '0-9', throttle: 3, env: { A: '1.10' }, timeLimitMs: 5_400_000, retries: 2 }),
    });
    expect(err).toBe('');
    expect(out).toBe(
      'name: fit\narray: "10"\nenv:\n  A: "1.10"\nalgorithm:\n  command:\n    - fit\n    - $${x}\n  cwd: /work\ncompute:\n  concurrency: 3\n  time_limit: 1h30m\n  retries: 2\n',
    );
  });

  test('with its script', async () => {
    const run = { kind: 'script', name: 'run.sh', hash: 'a'.repeat(64), args: ['1'] };
    const { out } = await exported({
      id: 12,
      spec: spec({ run }),
      script: { encoding: 'utf8', content: '#!/bin/sh\necho ${HOME}\n' },
    });
    expect(out).toContain(
      'script:\n    name: run.sh\n    text: |\n      #!/bin/sh\n      echo ${HOME}\n  args:\n    - "1"\n',
    );
  });

  test.each([
    [
      { gang: { tasks: 2 }, cpus: 2 },
      'export: expected a job that a job file can say, found one with gang; without --format it is written as a spec',
    ],
    [
      { run: { kind: 'shell', text: 'echo ${env:X}' } },
      'export: job 12: expected one that a job file can say, found: job.yaml:2:17: algorithm.command: expected "$X',
    ],
  ])('of a job that a file cannot say: %j', async (part, message) => {
    const { code, err } = await exported({ id: 12, spec: spec(part) });
    expect({ code, err: err.slice(0, message.length + 7) }).toEqual({
      code: 2,
      err: `spawn: ${message}${message.endsWith('spec') ? '\n' : ''}`.slice(0, message.length + 7),
    });
  });
});
