// Regular expressions over the logs of 100,000 tasks, a gigabyte in all, in the page cache: beside grep over the same files.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { openSegments } from '../src/objects/directory/segments.ts';
import type { SearchedLogs } from '../src/objects/log-reader.ts';
import { writeSegments } from './support/log-segments.ts';
import { median, report } from './support/report.ts';

const { values } = parseArgs({
  options: { tasks: { type: 'string', default: '100000' }, rounds: { type: 'string', default: '3' } },
});
const tasks = Number(values.tasks);
const rounds = Number(values.rounds);
const PATTERNS = {
  'a rare literal': { ours: 'thread panicked', grep: 'thread panicked' },
  'a common word': { ours: 'WARNING', grep: 'WARNING' },
  'alternatives with a class': {
    ours: '(Segfault|OutOfMemory|Killed): [a-z_]+ [0-9]+',
    grep: '(Segfault|OutOfMemory|Killed): [a-z_]+ [0-9]+',
  },
};

interface Timed {
  readonly ms: number;
  readonly firstMs: number;
  readonly lines: number;
  readonly loopMs: number;
  readonly rssMb: number;
  /** Of all threads. */
  readonly cpuMs: number;
}

const folder = mkdtempSync(join(tmpdir(), 'spawn-bench-grep-'));
try {
  const { files, bytes, lines, ends } = writeSegments(join(folder, '12'), tasks, 109, 8);
  const reader = openSegments(folder);
  const which = (): SearchedLogs => ({
    indices: `0-${tasks - 1}`,
    wanted: new Uint8Array(tasks).fill(1),
    ends: ends.map((data) => ({ data, lengths: [data.length] })),
    running: [],
  });
  const search = async (pattern: string): Promise<Timed> => {
    const loop = monitorEventLoopDelay({ resolution: 1 });
    loop.enable();
    const before = process.memoryUsage.rss();
    const cpu = process.cpuUsage();
    const started = performance.now();
    const asked = { pattern, ignoreCase: false, streams: 'both', limit: 10_000_000 } as const;
    let [found, firstMs, most] = [0, 0, before];
    const look = setInterval(() => {
      most = Math.max(most, process.memoryUsage.rss());
    }, 20);
    for await (const piece of reader.search(12, which(), asked, new AbortController().signal)) {
      if (found === 0) firstMs = performance.now() - started;
      for (let at = piece.indexOf(10); at >= 0; at = piece.indexOf(10, at + 1)) found++;
    }
    clearInterval(look);
    const ms = performance.now() - started;
    const { user, system } = process.cpuUsage(cpu);
    loop.disable();
    return {
      cpuMs: (user + system) / 1e3,
      ms,
      firstMs,
      lines: found,
      loopMs: loop.max / 1e6,
      rssMb: (most - before) / 1e6,
    };
  };
  const grep = (program: string, args: readonly string[]): { ms: number; lines: number } => {
    const started = performance.now();
    const { stdout } = spawnSync(program, args, { env: { ...process.env, LC_ALL: 'C' }, maxBuffer: 1e8 });
    const ms = performance.now() - started;
    const counts = String(stdout).trim().split('\n').map(Number);
    return { ms, lines: counts.reduce((sum, count) => sum + count, 0) };
  };
  const grepTwo = (pattern: string) =>
    grep('sh', [
      '-c',
      'printf "%s\\0" "$0"/*.seg | xargs -0 -n1 -P2 grep -a -h -c -E -e "$1"',
      join(folder, '12'),
      pattern,
    ]);

  const figures: Record<string, unknown> = { tasks, 'bytes of output': bytes, lines, rounds, files: files.length };
  for (const [name, { ours, grep: theirs }] of Object.entries(PATTERNS)) {
    await search(ours);
    const own: Timed[] = [];
    const one: number[] = [];
    const two: number[] = [];
    let peerLines = 0;
    for (let round = 0; round < rounds; round++) {
      own.push(await search(ours));
      const single = grep('grep', ['-a', '-h', '-c', '-E', '-e', theirs, ...files]);
      peerLines = single.lines;
      one.push(single.ms);
      two.push(grepTwo(theirs).ms);
    }
    const mbPerSecond = (ms: number) => Math.round(bytes / 1e3 / ms);
    figures[name] = {
      pattern: ours,
      'matching lines': own[0]!.lines,
      'lines that grep counts': peerLines,
      'spawn MB per second': mbPerSecond(median(own.map(({ ms }) => ms))),
      'spawn MB per second of processor time': mbPerSecond(median(own.map(({ cpuMs }) => cpuMs))),
      'first match ms': Math.round(median(own.map(({ firstMs }) => firstMs))),
      'event loop kept for ms, median of the longest': Math.round(median(own.map(({ loopMs }) => loopMs))),
      'memory grown by MB, at most': Math.round(Math.max(...own.map(({ rssMb }) => rssMb))),
      'grep -c MB per second': mbPerSecond(median(one)),
      'xargs -P2 grep -c MB per second': mbPerSecond(median(two)),
      'spawn / grep -c, median of pairs': Math.round(median(own.map(({ ms }, at) => one[at]! / ms)) * 100) / 100,
      'spawn / xargs -P2 grep -c, median of pairs':
        Math.round(median(own.map(({ ms }, at) => two[at]! / ms)) * 100) / 100,
    };
  }
  report('grep', figures);
} finally {
  rmSync(folder, { recursive: true });
}
