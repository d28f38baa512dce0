import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { scriptedJob } from '../../../test/support/scripted-coordinator.ts';
import { until } from '../../../test/support/until.ts';
import { FORKERS, workerOnScript } from '../../../test/support/worker-on-script.ts';
import { nativeProgram } from '../../client/node/package-files.ts';
import { SpawnError } from '../../core/errors.ts';
import { decodeOutcome, outcomeText } from '../../core/outcome.ts';
import { openResults } from '../../objects/directory/results.ts';
import type { WorkerOptions } from '../worker.ts';

const SPORED = nativeProgram('instance');

function setUp(changes: Partial<WorkerOptions> = {}) {
  const script = workerOnScript();
  const { coordinator, folder } = script;
  script.start(changes);
  let jobs = 0;
  /** Grants one task with this text of a shell; gives its fence and job. */
  const start = (text: string, more = {}, attempt = 1) => {
    const job = ++jobs;
    coordinator.send({ type: 'job', job: scriptedJob(job, text, { cwd: folder, ...more }) });
    return { job, fence: coordinator.grant(job, 0, 1, attempt) };
  };
  const finished = async ({ job, fence }: { job: number; fence: number }) => {
    const end = await until('the end', () => coordinator.endOf(fence));
    const results = openResults(coordinator.logDir!);
    const bytes = await results.read({ jobId: job, sessionId: coordinator.sessionId, ...end });
    const result = bytes === undefined ? undefined : JSON.parse(Buffer.from(bytes).toString());
    return { end, result, how: outcomeText(decodeOutcome(end.outcome)), log: script.logOf(job, fence) };
  };
  const run = async (text: string, more = {}, attempt = 1) => finished(start(text, more, attempt));
  return { ...script, start, finished, run };
}

describe.skipIf(!existsSync(SPORED)).each(FORKERS)('with the %s forker', (forker) => {
  test('progress reaches the coordinator, the last word of each attempt', async () => {
    const { start, finished, coordinator, folder } = setUp({ forker });
    const task = start(
      'spored progress 0.25; spored progress 50% "half way"; spored progress 1; until test -e go; do sleep 0.01; done',
    );
    const said = () => coordinator.exchanges.flatMap(({ progress = [] }) => progress);
    await until('the last word', () => said().at(-1)?.fraction === 1);
    expect(said().length).toBeLessThanOrEqual(2);
    expect(said().at(-1)).toEqual({ fence: task.fence, fraction: 1 });
    writeFileSync(join(folder, 'go'), '');
    expect(await finished(task)).toMatchObject({ how: 'exit 0', log: '', result: undefined });
  });

  test('a result is there when the end is said, the last one', async () => {
    const { run } = setUp({ forker });
    const first = await run('spored result - <<X\n{"a": [1,\n 2.50]}\nX');
    expect(first.how).toBe('exit 0');
    expect(first.result).toEqual({ value: { a: [1, 2.5] } });
    expect((await run('echo 1 > r1; spored result r1; echo \'"two"\' | spored result -')).result).toEqual({
      value: 'two',
    });
    const failed = await run('echo 1 | spored result -; exit 4');
    expect([failed.how, failed.result, failed.end.resultBytes]).toEqual(['exit 4', undefined, 0]);
  });
});

describe.skipIf(!existsSync(SPORED))('a task', () => {
  test('without any call has no result', async () => {
    const { run } = setUp();
    expect((await run('true')).end).toMatchObject({ outcome: 0, resultSegment: 0, resultBytes: 0 });
  });

  test('gets its checkpoint back in another attempt', async () => {
    const { run, coordinator, folder } = setUp();
    const none = await run('spored checkpoint get c; echo $?; ls c');
    expect(none.log).toMatch(/^1\n/);
    writeFileSync(join(folder, 'state'), Buffer.alloc(3_000_000, 'abc'));
    expect((await run('spored checkpoint put state')).how).toBe('exit 0');
    expect(coordinator.checkpoints.get('2/0')?.byteLength).toBe(3_000_000);
    const fence = coordinator.grant(2, 0, 1, 2);
    await until('the end', () => coordinator.endOf(fence));
    coordinator.checkpoints.set('3/0', Buffer.from('seven'));
    const back = await run(
      'spored checkpoint get got && cat got && spored checkpoint get - && ls got.* 2>/dev/null; echo eight | spored checkpoint put -',
    );
    expect(back.log).toBe('sevenseven');
    expect(Buffer.from(coordinator.checkpoints.get('3/0')!).toString()).toBe('eight\n');
  });

  test('says that it has failed, or succeeded, whatever its process makes of it', async () => {
    const { run } = setUp();
    const failed = await run('spored complete --status failed --message "no data"; exit 0');
    expect([failed.how, failed.result]).toEqual(['exit 1', { message: 'no data' }]);
    expect((await run('spored complete -s failed; exit 7')).how).toBe('exit 7');
    expect(await run('echo 5 | spored result -; spored complete; exit 3')).toMatchObject({
      how: 'exit 0',
      result: { value: 5 },
    });
    expect((await run('spored complete; kill -9 $$')).how).toBe('exit 0');
    const twice = await run('exec 2>&1; spored complete; spored complete -m again; spored complete -s failed; echo $?');
    expect([twice.how, twice.log]).toEqual([
      'exit 0',
      expect.stringMatching(/^spored complete: .*expected success, as was said before, found failed\n1\n$/),
    ]);
    expect((await run('spored complete; sleep 60', { timeLimitMs: 300 })).how).toBe('exit 0');
  });

  test('is told what is wrong with its words', async () => {
    const { run, folder } = setUp();
    writeFileSync(join(folder, 'large'), Buffer.alloc(1_048_577, '1'));
    writeFileSync(join(folder, 'cut'), Buffer.from([0x22, 0xff, 0x22]));
    const lines = [
      'progress',
      'progress -1',
      'progress 0x1',
      'progress 0.5 a b',
      `progress 0.5 ${'x'.repeat(1_001)}`,
      'checkpoint',
      'checkpoint take c',
      'checkpoint get',
      'checkpoint put nothing',
      'result',
      'result nothing',
      'result large',
      'result cut',
      'result /etc/hostname',
      'emit',
      'emit nothing',
      'emit /',
      'emit large --as',
      'emit cut',
      'complete --status maybe',
      'complete -f x',
    ];
    const { log } = await run(`exec 2>&1\n${lines.map((line) => `spored ${line}; echo $?`).join('\n')}`);
    const said = log.trimEnd().split('\n');
    expect(said.filter((_, at) => at % 2 === 1)).toEqual(lines.map(() => '2'));
    for (const [at, line] of lines.entries())
      expect(said[at * 2]).toMatch(new RegExp(`^spored ${line.split(' ')[0]}: `));
    expect(log).toContain('result: expected one JSON value in UTF-8');
    expect(log).toContain('large: expected at most 1048576 bytes');
    expect(log).toContain('emit: expected a job with an output (output.to), found "a job without one"');
  });

  test('cannot speak for another one, nor after its end', async () => {
    const { run, start, finished, folder, coordinator } = setUp();
    const other = start(
      'echo $SPAWN_TASK_SOCKET > socket; echo $SPAWN_TASK_SECRET > secret; until test -e go; do sleep 0.01; done',
    );
    await until('its secret', () => existsSync(join(folder, 'secret')));
    const wrong = [
      'SPAWN_FENCE=1 spored progress 0.5; echo $?',
      'SPAWN_TASK_SECRET=$(cat secret) spored progress 0.5; echo $?',
      'SPAWN_TASK_SECRET=x spored progress 0.5; echo $?',
      'SPAWN_TASK_SECRET= spored progress 0.5; echo $?',
      'SPAWN_FENCE=99 spored progress 0.5; echo $?',
    ];
    const { log } = await run(wrong.join('\n'));
    expect(log.match(/^\d$/gm)).toEqual(['3', '3', '3', '3', '3']);
    writeFileSync(join(folder, 'go'), '');
    await finished(other);
    const env = { SPAWN_TASK_SOCKET: socketOf(folder), SPAWN_FENCE: '1', SPAWN_TASK_SECRET: readSecret(folder) };
    const late = promisify(execFile)(SPORED, ['spored', 'progress', '0.5'], { env });
    await expect(late).rejects.toMatchObject({ code: 3, stderr: expect.stringContaining('this attempt is over') });
    expect(coordinator.exchanges.flatMap(({ progress = [] }) => progress)).toEqual([]);
  });

  test('two at once have each their own', async () => {
    const { start, finished } = setUp();
    const both = ['a', 'b'].map((word) =>
      start(`for i in 1 2 3 4 5 6 7 8; do echo "\\"${word}$i\\"" | spored result -; done`),
    );
    const [a, b] = await Promise.all(both.map(finished));
    expect([a!.result, b!.result]).toEqual([{ value: 'a8' }, { value: 'b8' }]);
  });

  test('that says nothing for too long is ended as stalled; calls keep it alive', async () => {
    const { run } = setUp();
    const silent = await run('sleep 60', { heartbeatMs: 300 });
    expect(silent.how).toBe('no progress');
    const lively = await run('for i in 1 2 3 4 5 6 7 8; do spored progress 0.$i; sleep 0.1; done', {
      heartbeatMs: 600,
    });
    expect(lively.how).toBe('exit 0');
  });

  test('whose coordinator is away is told so, and nothing is kept for later', async () => {
    const { start, finished, coordinator, folder } = setUp();
    const task = start(
      'until test -e go; do sleep 0.01; done; echo 1 | spored checkpoint put - 2>&1; echo $?; touch asked; until test -e on; do sleep 0.01; done',
    );
    await until('it runs', () => coordinator.started.has(task.fence));
    coordinator.failure = new SpawnError('SERVER_UNREACHABLE', { address: 'nowhere' });
    writeFileSync(join(folder, 'go'), '');
    await until('it has asked', () => existsSync(join(folder, 'asked')));
    coordinator.failure = undefined;
    writeFileSync(join(folder, 'on'), '');
    const { log } = await finished(task);
    expect(log).toMatch(/^spored checkpoint: .*\n69\n$/);
    expect(coordinator.checkpoints.size).toBe(0);
  });

  test('asks wherever the worker keeps its files', async () => {
    const deep = setUp();
    const { run } = setUp({ dataDir: join(deep.folder, 'x'.repeat(90), 'y'.repeat(90)) });
    expect(await run('echo 7 | spored result -')).toMatchObject({ how: 'exit 0', log: '', result: { value: 7 } });
  });

  test('nobody else may enter where it asks', async () => {
    const { run, folder } = setUp();
    const { log } = await run('dirname $SPAWN_TASK_SOCKET; command -v spored');
    const [directory, program] = log.trimEnd().split('\n');
    expect(statSync(directory!).mode & 0o777).toBe(0o700);
    expect(program).toBe(join(folder, 'data/worker/bin/spored'));
  });
});

function socketOf(folder: string): string {
  return readFileSync(join(folder, 'socket'), 'utf8').trim();
}

function readSecret(folder: string): string {
  return readFileSync(join(folder, 'secret'), 'utf8').trim();
}
