import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scriptedJob } from '../../../test/support/scripted-coordinator.ts';
import { until } from '../../../test/support/until.ts';
import { workerOnScript } from '../../../test/support/worker-on-script.ts';
import { decodeOutcome, outcomeText } from '../../core/outcome.ts';

/** A worker, and a module of handlers in its folder. */
function setUp(module: string) {
  const script = workerOnScript();
  writeFileSync(join(script.folder, 'tasks.ts'), module);
  script.start();
  const submit = (name = 'default', more = {}, id = 1, size = 10_000) => {
    const run = { kind: 'handler' as const, module: './tasks.ts', export: name };
    const job = scriptedJob(id, `0-${size - 1}`, { cwd: script.folder, ...more, run } as never);
    script.coordinator.send({ type: 'job', job });
  };
  const endOf = (fence: number) => until(`the end of ${fence}`, () => script.coordinator.endOf(fence), 20_000);
  /** Runs one task; gives how it ended and what it wrote. */
  const run = async (name: string, more = {}) => {
    submit(name, more);
    const fence = script.coordinator.grant(1, 7, 1);
    const end = await endOf(fence);
    return { end, how: outcomeText(decodeOutcome(end.outcome)), text: script.logOf(1, fence) };
  };
  return { ...script, submit, endOf, run };
}

test('a handler is called with what it may know of its task', async () => {
  const { run } = setUp(`
    import { defineHandler } from 'spawn/handler';
    export const one = defineHandler<{ word: string }>(({ index, position, attempt, taskId, params, part, signal, log }) => {
      console.log('out', index, position, attempt, taskId, params.word, part, signal.aborted);
      console.error('err');
      log('again', { a: 1 });
      return { index };
    });
  `);
  const { how, text, end } = await run('one', { params: { word: 'w' } });
  expect([how, text]).toEqual(['exit 0', 'out 7 7 1 1_7 w undefined false\nerr\nagain { a: 1 }\n']);
  expect(end).toMatchObject({ outBytes: 47, errBytes: 4 });
});

const GUILTY = `
  import { Fatal } from 'spawn/handler';
  const busy = (ms) => { const until = Date.now() + ms; while (Date.now() < until); };
  /** The task at position 5 does it; the others do nothing. */
  const only = (what) => (context) => (context.position === 5 ? what(context) : undefined);
  export const throws = only(() => { throw new TypeError('no such thing'); });
  export const throwsLater = only(async () => { await null; throw new Error('later'); });
  export const fatal = only(() => { throw new Fatal('never again'); });
  export const throwsText = only(() => { throw 'just text'; });
  export const strayRejection = only(async () => { void Promise.reject(new Error('nobody waits')); await new Promise((go) => setTimeout(go, 50)); });
  export const strayException = only(async () => { setTimeout(() => { throw new Error('from a timer'); }, 1); await new Promise(() => {}); });
  export const exits = only(() => process.exit(3));
  export const exitsWell = only(() => process.exit(0));
  export const killed = only(() => process.kill(process.pid, 'SIGKILL'));
  export const aborts = only(() => process.abort());
  export const segfaults = only(() => process.kill(process.pid, 'SIGSEGV'));
  export const cycle = only(() => { const a: any = {}; a.a = a; return a; });
  export const big = only(() => ({ n: 10n }));
  export const fn = only(() => ({ f: () => 1 }));
  export const nan = only(() => Number.NaN);
  export const map = only(() => ({ m: new Map() }));
  export const huge = only(() => 'x'.repeat(1024 * 1024));
  export const hangs = only(() => { for (;;); });
  export const hangsSoftly = only(({ signal }) => new Promise((_, fail) => { signal.addEventListener('abort', () => fail(signal.reason)); }));
  export const heap = only(() => { const all = []; for (;;) all.push(new Array(10_000).fill(all.length)); });
  export const rss = only(() => { const all = []; for (;;) all.push(Buffer.alloc(10_000_000, 1)); });
  export const writes = only(() => { const piece = 'y'.repeat(99) + '\\n'; for (let i = 0; i < 1_000_000; i++) process.stdout.write(piece); });
`;

const ends: readonly [name: string, how: string, text: RegExp | string, more?: object][] = [
  ['throws', 'exit 1', /^TypeError: no such thing\n {4}at .*tasks\.ts:/],
  ['throwsLater', 'exit 1', /^Error: later\n {4}at /],
  ['fatal', 'exit 100', /^Fatal: never again\n/],
  ['throwsText', 'exit 1', "the handler threw 'just text'\n"],
  ['strayRejection', 'exit 1', /^Error: nobody waits\n/],
  ['strayException', 'exit 1', /^Error: from a timer\n/],
  ['exits', 'exit 3', ''],
  ['exitsWell', 'exit 1', 'the handler ended its process with exit code 0 before it returned\n'],
  ['killed', 'SIGKILL (9)', ''],
  ['aborts', 'SIGABRT (6)', /./],
  ['segfaults', 'SIGSEGV (11)', ''],
  ['cycle', 'exit 1', /circular structure/],
  ['big', 'exit 1', 'the handler returned a BigInt at "n", which JSON cannot hold\n'],
  ['fn', 'exit 1', 'the handler returned a function at "f", which JSON cannot hold\n'],
  ['nan', 'exit 1', 'the handler returned NaN, which JSON cannot hold\n'],
  ['map', 'exit 1', 'the handler returned a Map at "m", which JSON cannot hold\n'],
  ['huge', 'exit 1', /^the handler returned 1048578 bytes of JSON; a result has at most 1048576 /],
  ['hangs', 'time limit', '', { timeLimitMs: 300, graceMs: 100 }],
  ['hangs', 'no progress', '', { heartbeatMs: 300, graceMs: 100 }],
  ['hangsSoftly', 'time limit', /^Error: the task has reached its time limit\n/, { timeLimitMs: 200 }],
  ['heap', 'out of memory', /heap out of memory/, { env: { NODE_OPTIONS: '--max-old-space-size=60' } }],
  ['rss', 'out of memory', '', { memoryBytes: 100 * 2 ** 20 }],
  [
    'writes',
    'exit 0',
    /^(y{99}\n){1000,}.*cut here: the log is limited(y*\n)(y{99}\n){1000,}$/s,
    { logCapBytes: 1_000_000 },
  ],
];

test.each(ends)('%s: %s, and nobody else of its run', async (name, how, text, more = {}) => {
  const { submit, endOf, coordinator, logOf } = setUp(GUILTY);
  submit(name, { ...more });
  // So that it is known that they are short, and many go to one host at once.
  const first = coordinator.grant(1, 100, 40);
  await until('the first ends', () => coordinator.ends.length === 40);
  const fence = coordinator.grant(1, 0, 60);
  await until('all ends', () => coordinator.ends.length === 100, 20_000);
  const end = await endOf(fence + 5);
  expect(outcomeText(decodeOutcome(end.outcome))).toBe(how);
  expect(logOf(1, fence + 5)).toEqual(typeof text === 'string' ? text : expect.stringMatching(text));
  expect(coordinator.ends.filter(({ outcome }) => outcome !== 0 && outcome !== end.outcome)).toEqual([]);
  expect(coordinator.ends.filter(({ outcome }) => outcome !== 0).map((one) => one.fence)).toEqual(
    how === 'exit 0' ? [] : [fence + 5],
  );
  expect(first).toBe(1);
});
