import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { plannedInput } from '../../../test/support/planned-job.ts';
import { scriptedJob } from '../../../test/support/scripted-coordinator.ts';
import { until } from '../../../test/support/until.ts';
import { workerOnScript } from '../../../test/support/worker-on-script.ts';
import { OutputSpec } from '../../api/data.ts';
import { decodeOutcome, outcomeText } from '../../core/outcome.ts';
import { openResults } from '../../objects/directory/results.ts';

const argv = (...words: string[]) => ({ kind: 'argv' as const, argv: words });
const shell = (text: string) => ({ kind: 'shell' as const, text });

function setUp() {
  const script = workerOnScript();
  const { coordinator, folder } = script;
  script.start();
  let jobs = 0;
  /** Runs all parts of an input, or one task without one; what became of each, in order. */
  const run = async (input: object | undefined, command: object, more: object = {}) => {
    const planned = input === undefined ? { indices: '0', size: 1 } : await plannedInput(coordinator, input, folder);
    const job = ++jobs;
    const { output, ...rest } = more as { output?: object };
    const spec = { cwd: folder, run: command as never, ...planned, ...rest };
    const parsed = output === undefined ? {} : { output: OutputSpec.parse(output) };
    coordinator.send({ type: 'job', job: scriptedJob(job, '', { ...spec, ...parsed }) });
    const first = coordinator.grant(job, 0, planned.size);
    const results = openResults(coordinator.logDir!);
    return await Promise.all(
      Array.from({ length: planned.size }, async (_, position) => {
        const fence = first + position;
        const end = await until(`the end of ${position}`, () => coordinator.endOf(fence));
        const bytes = await results.read({ jobId: job, sessionId: coordinator.sessionId, ...end });
        const result = bytes === undefined ? undefined : JSON.parse(Buffer.from(bytes).toString());
        return { how: outcomeText(decodeOutcome(end.outcome)), log: script.logOf(job, fence), result };
      }),
    );
  };
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  const partFiles = () => {
    const data = join(folder, 'data/worker/data');
    return existsSync(data)
      ? (readdirSync(data, { recursive: true }) as string[]).filter((name) => /part$/.test(name))
      : [];
  };
  return { ...script, run, write, partFiles };
}

const CSV = 'name,n\n"a ""quoted"", one",1\nb,2\n"c\nd",3\ne,4\nf,5\n';

describe('a part', () => {
  test('is standard input, a file and numbers; each record is in one, the header in all', async () => {
    const { run, write, partFiles } = setUp();
    write('t.csv', CSV);
    const tasks = await run(
      { type: 'csv', from: ['t.csv'], cut: { rows: 2 } },
      shell(
        'cat; cmp - "$SPAWN_PART_FILE" < {part}; echo "$SPAWN_PART_RECORDS {index} $(printenv SPAWN_INPUT || echo none)"',
      ),
    );
    expect(tasks.map(({ log }) => log)).toEqual([
      'name,n\n"a ""quoted"", one",1\nb,2\n2 0 none\n',
      'name,n\n"c\nd",3\ne,4\n2 1 none\n',
      'name,n\nf,5\n1 2 none\n',
    ]);
    await until('the files are gone', () => partFiles().length === 0);
  });

  test('is an argument of a command', async () => {
    const { run, write } = setUp();
    write('t.jsonl', '{"a":1}\n{"a":2}\n');
    const tasks = await run(
      { type: 'jsonl', from: ['t.jsonl'], cut: { rows: 1 } },
      argv('sh', '-c', 'cat "$1"; echo "$2"', 'x', '{part}', '{index}/{ordinal}/{attempt} {param:lr} {other} {}'),
      { params: { lr: 0.5 } },
    );
    expect(tasks.map(({ log }) => log)).toEqual(['{"a":1}\n0/0/1 0.5 {other} {}\n', '{"a":2}\n1/1/1 0.5 {other} {}\n']);
  });

  test('that is a whole file is not copied', async () => {
    const { run, folder, partFiles } = setUp();
    mkdirSync(join(folder, 'in'));
    for (const name of ['one two', "it's"]) writeFileSync(join(folder, 'in', name), `of ${name}`);
    const tasks = await run({ type: 'files', from: ['in/*'] }, shell('cat {input}; echo; echo "$SPAWN_PART_FILE"'));
    expect(tasks.map(({ log }) => log).toSorted()).toEqual(
      ["it's", 'one two'].map((name) => `of ${name}\n${join(folder, 'in', name)}\n`).toSorted(),
    );
    expect(partFiles()).toEqual([]);
    const [refused] = await run({ type: 'files', from: ['in/*'], cut: { files: 2 } }, argv('cat', '{input}'));
    expect(refused).toMatchObject({ how: 'exit 126', log: expect.stringContaining('the command has {input}, and') });
  });

  test('of an input that has changed since it was planned is refused in the log', async () => {
    const { run, folder, coordinator, logOf } = setUp();
    writeFileSync(join(folder, 't.txt'), 'a\nb\nc\n');
    const planned = await plannedInput(coordinator, { type: 'text', from: ['t.txt'], cut: { rows: 1 } }, folder);
    appendFileSync(join(folder, 't.txt'), 'd\n');
    coordinator.send({ type: 'job', job: scriptedJob(50, 'cat', { cwd: folder, ...planned }) });
    const fence = coordinator.grant(50, 1, 1);
    const end = await until('the end', () => coordinator.endOf(fence));
    expect(outcomeText(decodeOutcome(end.outcome))).toBe('exit 66');
    expect(logOf(50, fence)).toMatch(
      /^spawn: the part of the task cannot be had: input .*t\.txt.* has changed: expected /,
    );
    expect((await run({ type: 'text', from: ['t.txt'], cut: { rows: 2 } }, shell('cat'))).length).toBe(2);
  });

  test('of a list or a range is a line of JSON', async () => {
    const { run } = setUp();
    expect((await run({ type: 'range', first: 3, last: 5 }, shell('cat'))).map(({ log }) => log)).toEqual([
      '3\n',
      '4\n',
      '5\n',
    ]);
    const tasks = await run({ type: 'list', items: [{ a: 'x y' }, null] }, shell('cat'));
    expect(tasks.map(({ log }) => log)).toEqual(['{"a":"x y"}\n', 'null\n']);
  });

  test('many short ones all come, each once', async () => {
    const { run, write, partFiles } = setUp();
    write('t.txt', Array.from({ length: 300 }, (_, at) => `${at}\n`).join(''));
    const tasks = await run({ type: 'text', from: ['t.txt'], cut: { rows: 1 } }, argv('cat'));
    expect(tasks.map(({ log }) => log)).toEqual(Array.from({ length: 300 }, (_, at) => `${at}\n`));
    await until('the files are gone', () => partFiles().length === 0);
  });
});

test('secrets are variables that are read here, and nothing says what they are', async () => {
  const { run, write, folder, lines } = setUp();
  write('token', 'from a file\n');
  const secrets = { A: { file: join(folder, 'token') }, B: { env: 'PRIVATE' } };
  const env = { PRIVATE: 'of the job' };
  const [task] = await run(undefined, shell('echo "$A, $B"'), { secrets, env });
  expect(task).toMatchObject({ how: 'exit 0', log: 'from a file, of the job\n' });
  const [none] = await run(undefined, shell('true'), { secrets: { A: { env: 'NO_SUCH' } }, env });
  expect(none!.how).toBe('exit 126');
  expect(none!.log).toMatch(/secrets\.A: expected a secret in variable NO_SUCH, found no such variable\n$/);
  expect(lines.join()).not.toMatch(/from a file|of the job/);
});

describe('an output', () => {
  test('of files appears when the task has succeeded, with sizes and hashes', async () => {
    const { run, folder } = setUp();
    const [ok, failed] = await run(
      { type: 'range', first: 0, last: 1 },
      shell('mkdir $SPAWN_OUTPUT_DIR/d; cat > {output_dir}/d/{index}; echo x > {output}; ls ../out; exit {index}'),
      { output: { to: 'out', name: 'r-{index:03}.txt' }, cwd: folder },
    );
    expect([ok!.how, failed!.how, failed!.result]).toEqual(['exit 0', 'exit 1', undefined]);
    expect(ok!.result.files).toEqual([
      { name: 'd/0', size: 2, sha256: '9a271f2a916b0b6ee6cecb2426f0b3206ef074578be55d9bc94f6f3fe3ab86aa' },
      { name: 'r-000.txt', size: 2, sha256: '73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac' },
    ]);
    expect(readFileSync(join(folder, 'out/d/0'), 'utf8')).toBe('0\n');
    await until('nothing else', () => readdirSync(join(folder, 'out')).join() === 'd,r-000.txt');
  });

  test('of standard output is one file a task, also in the log', async () => {
    const { run, folder } = setUp();
    const tasks = await run(
      { type: 'range', first: 1, last: 2 },
      shell('echo "{index} of $SPAWN_ATTEMPT"; echo e >&2'),
      { output: { to: join(folder, 'o'), collect: 'stdout' } },
    );
    expect(tasks[1]!.result.files).toEqual([{ name: 'part-000001.out', size: 7, sha256: expect.any(String) }]);
    expect(readFileSync(join(folder, 'o/part-000000.out'), 'utf8')).toBe('0 of 1\n');
    expect(tasks[0]!.log).toContain('0 of 1\n');
    await until('nothing else', () => readdirSync(join(folder, 'o')).join() === 'part-000000.out,part-000001.out');
  });

  test.each([
    ['ln -s /etc/passwd $SPAWN_OUTPUT_DIR/x', 'SPAWN_OUTPUT_DIR/x: expected a file, found a symbolic link'],
    ['mkfifo $SPAWN_OUTPUT_DIR/x', 'SPAWN_OUTPUT_DIR/x: expected a file, found a pipe'],
    ['mkdir $SPAWN_OUTPUT_DIR/away; touch $SPAWN_OUTPUT_DIR/away/x', 'out/away: expected a directory'],
    ['mkdir $SPAWN_OUTPUT_DIR/.spawn; touch $SPAWN_OUTPUT_DIR/.spawn/x', 'does not begin with .spawn'],
    ['touch "$SPAWN_OUTPUT_DIR/$(printf "a\\nb")"', 'control characters'],
  ])('that leads out or is no file makes the attempt fail: %s', async (text, message) => {
    const { run, folder } = setUp();
    mkdirSync(join(folder, 'out'));
    mkdirSync(join(folder, 'elsewhere'));
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'out/away'));
    const [task] = await run(undefined, shell(text), { output: { to: 'out' } });
    expect(task).toMatchObject({ how: 'exit 74', result: { message: expect.stringContaining(message) } });
    expect(readdirSync(join(folder, 'elsewhere'))).toEqual([]);
    await until('nothing else', () => readdirSync(join(folder, 'out')).join() === 'away');
  });

  test('is given by spored emit; names lead nowhere else', async () => {
    const { run, folder } = setUp();
    const text = [
      'exec 2>&1; echo hello > h; spored emit h; spored emit h --as sub/dir/h2',
      'for name in ../h /h "" a//b .spawn/x a/../../h; do spored emit h --as "$name" > /dev/null 2>&1; echo $?; done',
      'head -c 30000000 /dev/zero > big; spored emit big',
    ];
    const before = process.umask(0o077);
    onTestFinished(() => void process.umask(before));
    const [task] = await run(undefined, shell(text.join('\n')), { output: { to: 'new/out' }, umask: 0o027 });
    const modes = ['new', 'new/out', 'new/out/sub/dir', 'new/out/h'].map((name) => statSync(join(folder, name)).mode);
    expect(modes.map((mode) => (mode & 0o777).toString(8))).toEqual(['750', '750', '750', '640']);
    expect(task!.log).toBe('2\n2\n2\n2\n2\n2\n');
    expect(task!.result.files.map(({ name, size }: { name: string; size: number }) => [name, size])).toEqual([
      ['big', 30_000_000],
      ['h', 6],
      ['sub/dir/h2', 6],
    ]);
    expect(readFileSync(join(folder, 'new/out/sub/dir/h2'), 'utf8')).toBe('hello\n');
    expect(existsSync(join(folder, 'h2'))).toBe(false);
  });

  test('that cannot be made says so in the log', async () => {
    const { run, write } = setUp();
    write('out', 'a file');
    const [task] = await run(undefined, shell('true'), { output: { to: 'out' } });
    expect(task).toMatchObject({
      how: 'exit 73',
      log: expect.stringMatching(/^spawn: the output cannot be written: /),
    });
  });

  test('what a lost attempt left goes with the next one; a cancelled one leaves nothing', async () => {
    const { run, folder, coordinator } = setUp();
    mkdirSync(join(folder, 'out/.spawn/1-0-0/files'), { recursive: true });
    await run(undefined, shell('echo x > {output}'), { output: { to: 'out' } });
    await until('nothing else', () => readdirSync(join(folder, 'out')).join() === 'part-000000.out');
    const job = scriptedJob(9, 'touch $SPAWN_OUTPUT_DIR/x; sleep 60', {
      cwd: folder,
      output: OutputSpec.parse({ to: 'out' }),
    });
    coordinator.send({ type: 'job', job });
    const fence = coordinator.grant(9, 0, 1);
    await until('it has begun', () => existsSync(join(folder, `out/.spawn/9-0-${fence}/files/x`)));
    coordinator.send({ type: 'cancel', fences: [[fence, 1]] });
    await until('the end', () => coordinator.endOf(fence));
    await until('nothing is left', () => readdirSync(join(folder, 'out')).join() === 'part-000000.out');
  });
});
