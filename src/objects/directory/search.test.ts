import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { GrepMatch } from '../../api/insight.ts';
import { EndChunk } from '../../core/end-chunk.ts';
import { encodeLogHeader, encodeLogNote, LOG_HEADER_BYTES, LogStream } from '../../core/log-record.ts';
import type { LogReader, LogSearch, SearchedLogs } from '../log-reader.ts';
import { openSegments } from './segments.ts';

const { STDOUT, STDERR, NOTE } = LogStream;
const LIFE = 2;
const JOB = 12;

let logs: string;
let reader: LogReader;

beforeEach(() => {
  logs = mkdtempSync(join(tmpdir(), 'spawn-search-'));
  mkdirSync(join(logs, String(JOB)));
  reader = openSegments(logs);
});
afterEach(() => rmSync(logs, { recursive: true }));

interface Written {
  /** Also its position; the fence is 100 more, the index 10 more. */
  readonly task: number;
  readonly stream: LogStream;
  readonly data: Uint8Array | string;
  /** The next record is in another segment. */
  readonly rolls?: boolean;
}

/** Writes records as one forker does, and tells where each attempt lies: from its first record to behind its last. */
function write(records: readonly Written[], tasks: number, open: ReadonlySet<number> = new Set()): SearchedLogs {
  const files: Buffer[][] = [[]];
  const size = () => files.at(-1)!.reduce((sum, part) => sum + part.length, 0);
  const place = () => ({ segment: LIFE * 65_536 + files.length, offset: size() });
  const from = new Map<number, { segment: number; offset: number }>();
  const to = new Map<number, { segment: number; offset: number }>();
  for (const { task, stream, data, rolls } of records) {
    const bytes = Buffer.from(data as string);
    const header = new Uint8Array(LOG_HEADER_BYTES);
    const of = { fence: 100 + task, position: task, attempt: 1, timeMs: 1 };
    encodeLogHeader({ stream, flags: 0, length: bytes.length, ...of }, header);
    if (!from.has(task)) from.set(task, place());
    files.at(-1)!.push(Buffer.concat([header, bytes]));
    to.set(task, place());
    if (rolls === true) files.push([]);
  }
  for (const [at, parts] of files.entries()) {
    if (parts.length > 0) writeFileSync(join(logs, String(JOB), `7-${LIFE}-${at + 1}.seg`), Buffer.concat(parts));
  }
  const chunk = new EndChunk(1);
  const running: SearchedLogs['running'][number][] = [];
  for (let task = 0; task < tasks; task++) {
    const [start, end] = [from.get(task) ?? place(), to.get(task) ?? place()];
    const place0 = { position: task, attempt: 1, sessionId: 7, fence: 100 + task };
    if (open.has(task)) running.push({ ...place0, fromSegment: start.segment, fromOffset: start.offset });
    else {
      const used = { wallUs: 1, cpuUs: 1, maxRssKb: 1, outBytes: 1, errBytes: 0, cutBytes: 0, missingBytes: 0 };
      const lies = { logSegment: start.segment, logOffset: start.offset };
      const ends = { logEndSegment: end.segment, logEndOffset: end.offset };
      chunk.add({ ...place0, outcome: 0, ...used, ...lies, ...ends });
    }
  }
  const data = chunk.count === 0 ? new Uint8Array(0) : chunk.pack();
  return {
    indices: `10-${9 + tasks}`,
    wanted: new Uint8Array(tasks).fill(1),
    ends: chunk.count === 0 ? [] : [{ data, lengths: [data.length] }],
    running,
  };
}

const SEARCH: LogSearch = { pattern: 'x', ignoreCase: false, streams: 'both', limit: 1_000_000 };
const never = new AbortController().signal;

async function search(which: SearchedLogs, parts: Partial<LogSearch>, from = reader): Promise<GrepMatch[]> {
  const chunks = await Array.fromAsync(from.search(JOB, which, { ...SEARCH, ...parts }, never));
  const lines = Buffer.concat(chunks).toString().split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as GrepMatch);
}

/** What is found by the simplest means: all bytes of each attempt and stream, cut into lines, each tried. */
function reference(records: readonly Written[], { pattern, ignoreCase, streams }: LogSearch, tasks: number): string[] {
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
