import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LIFE, type WrittenOutput, writeSearched } from '../../../test/support/searched-logs.ts';
import type { GrepMatch } from '../../api/insight.ts';
import { encodeLogNote, LogStream } from '../../core/log-record.ts';
import type { LogReader, LogSearch, SearchedLogs } from '../log-reader.ts';
import { openSegments } from './segments.ts';

const { STDOUT, STDERR, NOTE } = LogStream;
const JOB = 12;

let logs: string;
let reader: LogReader;

beforeEach(() => {
  logs = mkdtempSync(join(tmpdir(), 'spawn-search-'));
  mkdirSync(join(logs, String(JOB)));
  reader = openSegments(logs);
});
afterEach(() => rmSync(logs, { recursive: true }));

const write = (records: readonly WrittenOutput[], tasks: number, open?: ReadonlySet<number>) =>
  writeSearched(join(logs, String(JOB)), records, tasks, open);

const SEARCH: LogSearch = { pattern: 'x', ignoreCase: false, streams: 'both', limit: 1_000_000 };
const never = new AbortController().signal;

async function search(which: SearchedLogs, parts: Partial<LogSearch>, from = reader): Promise<GrepMatch[]> {
  const chunks = await Array.fromAsync(from.search(JOB, which, { ...SEARCH, ...parts }, never));
  const lines = Buffer.concat(chunks).toString().split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as GrepMatch);
}

/** What is found by the simplest means: all bytes of each attempt and stream, cut into lines, each tried. */
function reference(
  records: readonly WrittenOutput[],
  { pattern, ignoreCase, streams }: LogSearch,
  tasks: number,
): string[] {
  const line = new RegExp(pattern, ignoreCase ? 'iv' : 'v');
  const found: string[] = [];
  for (let task = 0; task < tasks; task++) {
    for (const [stream, name] of [
      [STDOUT, 'out'],
      [STDERR, 'err'],
    ] as const) {
      if (streams !== 'both' && streams !== name) continue;
      const own = records.filter((one) => one.task === task && (one.stream === stream || one.stream === NOTE));
      const pieces: Buffer[][] = [[]];
      for (const one of own) {
        if (one.stream === NOTE) pieces.push([]);
        else pieces.at(-1)!.push(Buffer.from(one.data as string));
      }
      for (const piece of pieces) {
        const lines = Buffer.concat(piece).toString('utf8').split('\n');
        if (lines.at(-1) === '') lines.pop();
        for (const text of lines) {
          const shown = text.endsWith('\r') ? text.slice(0, -1) : text;
          if (line.test(shown)) found.push(`${10 + task} ${name} ${JSON.stringify(shown)}`);
        }
      }
    }
  }
  return found;
}

const show = ({ index, stream, text }: GrepMatch) => `${index} ${stream} ${JSON.stringify(text)}`;
const PATTERNS = [
  'a',
  '^a',
  'b$',
  '^$',
  'a.*b',
  '[^a]',
  '\\s',
  'é',
  'a|b',
  '^.{3}$',
  '(?i:A)',
  '\\W',
  '(?<!a)b',
  '\r',
  '\\x20',
];

const anyData = fc
  .array(fc.constantFrom('a', 'b', 'A', ' ', '\n', '\n', '\r\n', '\r', 'é', '\u2028', '😀'), { maxLength: 12 })
  .map((parts) => Buffer.from(parts.join('')));
/** Cut anywhere, through a character too. */
const anyRecord = fc.record({
  task: fc.integer({ min: 0, max: 3 }),
  stream: fc.constantFrom(STDOUT, STDOUT, STDERR, NOTE),
  data: fc.oneof(anyData, fc.uint8Array({ maxLength: 6 })),
  rolls: fc.integer({ min: 0, max: 5 }).map((value) => value === 0),
});

test('any logs over any segments, searched for any pattern, give what the simplest search gives', async () => {
  const gap = Buffer.from(encodeLogNote({ stdoutBytes: 1, stderrBytes: 1, text: 'aab' }));
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyRecord, { maxLength: 40 }),
      fc.uniqueArray(fc.integer({ min: 0, max: 3 })),
      fc.constantFrom(...PATTERNS),
      fc.boolean(),
      fc.constantFrom('out', 'err', 'both'),
      async (all, open, pattern, ignoreCase, streams) => {
        rmSync(join(logs, String(JOB)), { recursive: true });
        mkdirSync(join(logs, String(JOB)));
        const records = all.map((one) => (one.stream === NOTE ? { ...one, data: gap } : one));
        const which = write(records, 4, new Set(open));
        const asked = { ...SEARCH, pattern, ignoreCase, streams };
        const found = (await search(which, asked)).map(show);
        const wanted = reference(records, asked, 4);
        expect(found.toSorted()).toEqual(wanted.toSorted());
      },
    ),
    { numRuns: 500 },
  );
});

describe('a search', () => {
  const lines = (count: number, text = 'line') => Array.from({ length: count }, (_, at) => `${text} ${at}`).join('\n');
  const out = (task: number, data: string, rolls = false): WrittenOutput => ({ task, stream: STDOUT, data, rolls });

  test('tells the lines of each task in their order, exactly as many as asked for', async () => {
    const which = write([out(0, `${lines(2_000)}\n`), out(1, `${lines(500)}\n`, true), out(1, 'last line')], 2);
    const found = await search(which, { pattern: 'line', limit: 2_321 });
    expect(found.slice(0, 2_000).map(({ text }) => text)).toEqual(lines(2_000).split('\n'));
    expect(found.slice(2_000).map(({ index, text }) => [index, text])).toEqual(
      lines(321)
        .split('\n')
        .map((text) => [11, text]),
    );
    expect(await search(which, { pattern: 'line' })).toHaveLength(2_501);
  });

  test('looks only at the tasks that are wanted, and at the last attempt', async () => {
    const records = [out(0, 'x0\n'), out(1, 'x1\n'), out(2, 'x2\n')];
    const which = write(records, 3);
    expect(await search({ ...which, wanted: Uint8Array.of(1, 0, 1) }, {})).toMatchObject([
      { index: 10 },
      { index: 12 },
    ]);
    // Task 1 runs again, and has written nothing.
    const again = { position: 1, attempt: 2, sessionId: 7, fence: 500, fromSegment: LIFE * 65_536 + 1, fromOffset: 0 };
    expect(await search({ ...which, running: [again] }, {})).toMatchObject([{ index: 10 }, { index: 12 }]);
    expect(await search({ ...which, wanted: new Uint8Array(3) }, {})).toEqual([]);
  });

  test('shows a long line cut, and tries no more of it than a megabyte', async () => {
    const which = write([...Array.from({ length: 20 }, () => out(0, 'a'.repeat(60_000))), out(0, 'end\nb\n')], 1);
    const [found, ...more] = await search(which, { pattern: '^a' });
    expect([found!.text.length, more]).toEqual([16_384, []]);
    expect(await search(which, { pattern: 'end' })).toEqual([]);
    expect(await search(which, { pattern: '^b$' })).toHaveLength(1);
  });

  test('a torn record at the end is left out until it is whole, and what is no record ends its segment', async () => {
    const which = write([out(0, 'x1\n'), out(0, 'x2\n', true), out(0, 'x3\n')], 1, new Set([0]));
    const first = join(logs, String(JOB), `7-${LIFE}-1.seg`);
    const whole = readFileSync(first);
    writeFileSync(first, whole.subarray(0, whole.length - 1));
    expect((await search(which, {})).map(({ text }) => text)).toEqual(['x1', 'x3']);
    writeFileSync(first, Buffer.concat([whole, Buffer.alloc(64)]));
    expect((await search(which, {})).map(({ text }) => text)).toEqual(['x1', 'x2', 'x3']);
    rmSync(first);
    symlinkSync('/dev/zero', first);
    expect((await search(which, {})).map(({ text }) => text)).toEqual(['x3']);
    rmSync(join(logs, String(JOB)), { recursive: true });
    expect(await search(which, {})).toEqual([]);
  });

  test('fails when a pattern takes too long, and others go on', async () => {
    const hurried = openSegments(logs, { search: { threads: 1, budgetMs: 500 } });
    const which = write([out(0, `${'a'.repeat(60)}!\n`), out(0, 'fine\n')], 1);
    const slow = search(which, { pattern: '(a+)+$' }, hurried);
    const next = search(which, { pattern: 'fine' }, hurried);
    await expect(slow).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: 'pattern: expected one that can be decided in time, found "(a+)+$"',
    });
    expect(await next).toHaveLength(1);
  });

  test('ends when nobody wants it any more, and one that waits for its reader keeps no other from being done', async () => {
    const one = openSegments(logs, { search: { threads: 1 } });
    const which = write(
      Array.from({ length: 60 }, () => out(0, `${'x'.repeat(50)}\n`.repeat(1_200))),
      1,
    );
    const gone = new AbortController();
    const read = one.search(JOB, which, SEARCH, gone.signal)[Symbol.asyncIterator]();
    expect((await read.next()).value?.length).toBeGreaterThan(0);
    expect(await search(which, { limit: 3 }, one)).toHaveLength(3);
    gone.abort();
    let after = 0;
    while ((await read.next()).done !== true) after++;
    expect(after).toBeLessThan(10);
    expect(await search(which, { limit: 3 }, one)).toHaveLength(3);
  });
});
