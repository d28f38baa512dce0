import { describe, expect, test, vi } from 'vitest';
import type { JobFile } from '../../api/job-file.ts';
import { isSpawnError } from '../../core/errors.ts';
import { compileJobFile } from './compile.ts';
import { readJobFile } from './read-job-file.ts';

const COMMAND = 'algorithm: {command: x}\n';
const read = (text: string, env: Record<string, string> = {}, params: Record<string, string> = {}): JobFile =>
  readJobFile('job.yaml', `${text}\n${COMMAND}`, { env, params });

describe('values', () => {
  test('fields that want text have it as it is written', () => {
    const { env } = read(
      'env: {A: 1.10, B: 1e3, C: 007, D: yes, E: true, F: 2027-01-31, G: 0x1F, H: "a\\tb", I: 12345678901234567890}',
    );
    expect(env).toEqual({
      A: '1.10',
      B: '1e3',
      C: '007',
      D: 'yes',
      E: 'true',
      F: '2027-01-31',
      G: '0x1F',
      H: 'a\tb',
      I: '12345678901234567890',
    });
  });

  test('any values are what YAML 1.2 says', () => {
    const { params } = read(
      'params: {a: 1.10, b: 0o17, c: 0xff, d: yes, e: ~, f: "1", g: -0.5e-3, h: .5, i: 1e21, j: [null, True]}',
    );
    expect(params).toEqual({
      a: 1.1,
      b: 15,
      c: 255,
      d: 'yes',
      e: null,
      f: '1',
      g: -0.0005,
      h: 0.5,
      i: 1e21,
      j: [null, true],
    });
  });

  test('sizes, durations and parts', () => {
    const { compute } = read(
      'compute: {memory: 4GiB, time_limit: 1h30m, grace: 0, min_success: 99.5%, retries: {max: 1, delay: 500ms, jitter: 0.25}}',
    );
    expect(compute).toEqual({
      memory: 4 * 1024 ** 3,
      time_limit: 5_400_000,
      grace: 0,
      min_success: 0.995,
      retries: { max: 1, delay: 500, jitter: 0.25 },
    });
  });

  test('anchors, aliases and merge keys: what is written there goes first', () => {
    const file = readJobFile(
      'job.yaml',
      `params: {base: &base {a: 1, b: 2}, more: &more {b: 3, c: 4}}
env: &env {A: x}
advanced:
  stages:
    one: &one {algorithm: {command: x}, env: {<<: *env, B: y}}
    two: {<<: *one, params: {p: {<<: [*base, *more], a: 0}}}
`,
    );
    const { one, two } = file.advanced!.stages!;
    expect(one!.env).toEqual({ A: 'x', B: 'y' });
    expect(two).toEqual({ ...one, params: { p: { a: 0, b: 2, c: 4 } } });
  });

  test('a byte order mark is no text', () => {
    expect(readJobFile('job.yaml', `\uFEFF${COMMAND}`)).toEqual({ algorithm: { command: 'x' } });
  });
});

describe('what stands for a value', () => {
  test('stays one text, and is a number only where all of a field is one', () => {
    const env = { N: '3', T: 'true', Y: '[a, b]', E: '' };
    const {
      env: said,
      compute,
      description,
    } = read(
      'description: "$${N} ${env:Y} ${env:E:-none} ${env:U:-}"\nenv: {A: "${env:N}", B: "${env:Y}"}\ncompute: {cpus: "${env:N}", exclusive: "${env:T}", concurrency: "${env:N}", memory: "${env:N}G"}',
      env,
    );
    expect({ said, description }).toEqual({ said: { A: '3', B: '[a, b]' }, description: '${N} [a, b] none ' });
    expect(compute).toEqual({ cpus: 3, exclusive: true, concurrency: 3, memory: 3 * 1024 ** 3 });
  });

  test('of a variable is not looked at again', () => {
    expect(read('env: {A: "${env:X}"}', { X: '${env:Y} ${p} $${' }).env).toEqual({ A: '${env:Y} ${p} $${' });
  });

  test('parameters: of the file, of a stage over it, of the command line over both', () => {
    const text = `params: {a: 1.50, b: file}
advanced:
  stages:
    one: {algorithm: {command: [x, "\${a}", "\${param:b}"]}}
    two: {algorithm: {command: [x, "\${a}", "\${b}"]}, params: {b: stage}}
`;
    const words = (params: Record<string, string>) =>
      compileJobFile(readJobFile('job.yaml', text, { params }), () => 0).jobs.map(
        ({ run }) => 'argv' in run && run.argv.slice(1),
      );
    expect(words({})).toEqual([
      ['1.50', 'file'],
      ['1.50', 'stage'],
    ]);
    expect(words({ a: 'x y' })).toEqual([
      ['x y', 'file'],
      ['x y', 'stage'],
    ]);
  });

  test('a parameter of the command line has the type of that in the file where it can', () => {
    const text = 'params: {n: 1, s: "1", t: true}';
    expect(read(text, {}, { n: '2', s: '2', t: 'false' }).params).toEqual({ n: 2, s: '2', t: false });
    expect(read(text, {}, { n: 'many' }).params).toMatchObject({ n: 'many' });
    expect(() => read(text, {}, { m: '1' })).toThrow(
      '--param: expected one of the params n, s, t, found "m"; did you mean "n"?',
    );
  });

  test('is left to the shell where the text is for one', () => {
    const text = 'x=${HOME} $${y} ${z:-1} ${#a} ${b%.*}';
    expect(readJobFile('job.yaml', `algorithm: {command: '${text}'}`).algorithm?.command).toBe(text);
    const script = `#!/bin/sh\n${text}\n`;
    expect(readJobFile('job.yaml', `algorithm:\n  script: |\n    #!/bin/sh\n    ${text}\n`).algorithm?.script).toBe(
      script,
    );
  });

  test('is told of at its own place, also in text of several lines', () => {
    const text =
      'algorithm: {command: x}\ndescription: |\n  one\n  two ${env:NONE} and\n  ${env:HERE} and ${env:GONE}\n';
    expect(() => readJobFile('job.yaml', text, { env: { HERE: 'x' } })).toThrow(
      /^job\.yaml:4:7: .*NONE\njob\.yaml:5:19: .*GONE$/,
    );
  });
});

describe('the type of an input', () => {
  test.each([
    ['data/*.csv', { type: 'csv', from: ['data/*.csv'] }],
    ['[a.jsonl, b.ndjson]', undefined],
    ['[a.jsonl, s3://b/c.jsonl]', { type: 'jsonl', from: ['a.jsonl', 's3://b/c.jsonl'] }],
    ['a.tsv', { type: 'csv', from: ['a.tsv'], delimiter: '\t' }],
    ['{from: a.tsv, delimiter: "|"}', { type: 'csv', from: ['a.tsv'], delimiter: '|' }],
    ['{from: a.txt, cut: {bytes: 1M}}', { type: 'text', from: ['a.txt'], cut: { bytes: 1024 ** 2 } }],
    ['./in.ts', undefined],
    ['{type: ./in.ts, options: 3}', { type: 'module', module: './in.ts', options: 3 }],
    ['{type: module, module: ./in.ts}', { type: 'module', module: './in.ts' }],
    ['a', undefined],
  ])('of %s', (input, expected) => {
    if (expected === undefined) expect(() => read(`input: ${input}`)).toThrow('input.type: expected files, text');
    else expect(read(`input: ${input}`).input).toEqual(expected);
  });
});

/** From this length on a part of a text shares its characters with the whole, and costs the same however long it is. */
const SHARED = 13;

/** Characters that are copied or looked through while `work` runs. */
function charactersSeen(work: () => void): number {
  let seen = 0;
  const { slice, substring, indexOf, lastIndexOf } = String.prototype;
  const spies = [
    vi.spyOn(String.prototype, 'slice').mockImplementation(function (this: string, ...range) {
      const part = slice.apply(this, range);
      seen += Math.min(part.length, SHARED);
      return part;
    }),
    vi.spyOn(String.prototype, 'substring').mockImplementation(function (this: string, ...range) {
      const part = substring.apply(this, range);
      seen += Math.min(part.length, SHARED);
      return part;
    }),
    vi.spyOn(String.prototype, 'indexOf').mockImplementation(function (this: string, what, from = 0) {
      const at = indexOf.call(this, what, from);
      seen += (at < 0 ? this.length : at) - from;
      return at;
    }),
    vi.spyOn(String.prototype, 'lastIndexOf').mockImplementation(function (this: string, what, from = this.length) {
      const at = lastIndexOf.call(this, what, from);
      seen += from - at;
      return at;
    }),
  ];
  try {
    work();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return seen;
}

describe('a file twice as long takes twice the work', () => {
  const long = (lines: number, line: (n: number) => string) =>
    Array.from({ length: lines }, (_, n) => line(n)).join('\n');

  test.each([
    ['of variables', (n: number) => `${COMMAND}env:\n${long(n, (at) => `  A${at}: "x \${env:X}"`)}\n`],
    ['of numbers that shall be text', (n: number) => `${COMMAND}env:\n${long(n, (at) => `  A${at}: ${at}`)}\n`],
    ['of unknown keys', (n: number) => `${COMMAND}${long(n, (at) => `k${at}: 1`)}\n`],
    ['of keys that are there twice', (n: number) => `${COMMAND}env:\n${long(n, () => '  A: 1')}\n`],
    ['of aliases', (n: number) => `${COMMAND}params:\n  a: &a [1]\n${long(n, (at) => `  b${at}: *a`)}\n`],
    ['in one line', (n: number) => `${COMMAND}params: {a: [${long(n, (at) => `${at},`).replaceAll('\n', ' ')}]}\n`],
  ])('%s', (_, text) => {
    const seen = (lines: number) =>
      charactersSeen(() => {
        try {
          readJobFile('job.yaml', text(lines), { env: { X: 'y' } });
        } catch (error) {
          if (!isSpawnError(error)) throw error;
        }
      });
    expect(seen(1_600)).toBeLessThan(2.5 * seen(800));
  });
});
