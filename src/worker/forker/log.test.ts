import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ForkerUnderTest } from '../../../test/support/forker-under-test.ts';
import { until } from '../../../test/support/until.ts';
import { LogFlag, LogStream, parseLogNote, parseLogRecords, segmentFileName } from '../../core/log-record.ts';

const MIB = 1024 * 1024;

/** Bytes that depend on their place, so that a shift or a gap shows. */
function pattern(from: number, to: number): Buffer {
  let text = '';
  for (let line = Math.floor(from / 8); line * 8 < to; line++) text += `${String(line).padStart(7, '0')}\n`;
  const first = Math.floor(from / 8) * 8;
  return Buffer.from(text).subarray(from - first, to - first);
}

/** Writes the first `bytes` of the pattern. */
const writesPattern = (bytes: number) =>
  `awk 'BEGIN { for (i = 0; i < ${Math.ceil(bytes / 8)}; i++) printf "%07d\\n", i }' | head -c ${bytes}`;

/** Whether `kept` is the beginning and the end of `whole`, with any part between them left out. */
function isCut(kept: Buffer, whole: Buffer): boolean {
  let first = 0;
  while (first < kept.length && kept[first] === whole[first]) first += 1;
  return kept.subarray(first).equals(whole.subarray(whole.length - (kept.length - first)));
}

describe.each(['native', 'node'] as const)('%s forker: logs', (kind) => {
  test('stdout and stderr stay apart, each in order, and every byte is kept', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const { ended, log } = await forker.complete(
      'i=0; while [ $i -lt 50 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done',
    );
    const lines = (name: string) => Array.from({ length: 50 }, (_, i) => `${name} ${i}\n`).join('');
    expect(log.stdout.toString()).toBe(lines('out'));
    expect(log.stderr.toString()).toBe(lines('err'));
    expect(ended).toMatchObject({
      keptStdoutBytes: log.stdout.length,
      keptStderrBytes: log.stderr.length,
      droppedBytes: 0,
      lostBytes: 0,
    });
  });

  test('another session that takes over has segments of its own from the first on', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const runs = await forker.ended(forker.run({ script: 'echo first' }));
    const late = forker.run({ script: 'until [ -e go ]; do sleep 0.02; done; echo late' });
    await forker.started(late);
    forker.forker.openLogs(forker.logDir, 'taken-over');
    const second = await forker.ended(forker.run({ script: 'echo second' }));
    execFileSync('touch', [join(forker.logDir, 'go')]);
    await forker.ended(late);
    expect(runs.logStart).toEqual({ segment: 1, offset: 0 });
    expect(second.logStart).toEqual({ segment: 1, offset: 0 });
    const bytes = readFileSync(join(forker.logDir, '1', segmentFileName('taken-over', 1)));
    const { records } = parseLogRecords(bytes, second.fence);
    expect(records.map(({ data }) => Buffer.from(data).toString())).toEqual(['second\n']);
    expect(forker.log(runs).stdout.toString()).toBe('first\n');
  });

  test('bytes are kept as they are', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const script =
      'process.stdout.write(Buffer.from(Array.from({ length: 65536 }, (_, i) => (i * 7 + (i >> 8)) & 255)))';
    const ended = await forker.ended(forker.run({ argv: [process.execPath, '-e', script] }));
    const expected = Buffer.from(Array.from({ length: 65536 }, (_, i) => (i * 7 + (i >> 8)) & 255));
    expect(forker.log(ended).stdout.equals(expected)).toBe(true);
  });

  test('tasks of one job that write at the same time stay apart', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const script = 'i=0; while [ $i -lt 100 ]; do echo "$NAME $i"; i=$((i+1)); done';
    const fences = ['a', 'b', 'c'].map((name) => forker.run({ script, env: [`NAME=${name}`] }));
    for (const [i, fence] of fences.entries()) {
      const name = 'abc'[i];
      expect(forker.log(await forker.ended(fence)).stdout.toString()).toBe(
        Array.from({ length: 100 }, (_, n) => `${name} ${n}\n`).join(''),
      );
    }
  });

  test('a program that opens /dev/stdout and /dev/stderr again truncates nothing', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const { log } = await forker.complete(
      'echo one; echo two > /dev/stdout; echo three >> /dev/stdout; echo four > /dev/stderr; echo five',
    );
    expect(log.stdout.toString()).toBe('one\ntwo\nthree\nfive\n');
    expect(log.stderr.toString()).toBe('four\n');
  });

  test('what a leftover child writes later reaches nobody', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const told = join(forker.logDir, 'told');
    // Without marks in its environment it outlives its task for a moment while another task lives.
    const other = forker.run({ script: 'sleep 1000' });
    await forker.started(other);
    const leftover = `trap "" PIPE; touch ${told}.up; until [ -e ${told}.go ]; do sleep 0.02; done; echo late || echo refused > ${told}`;
    const fence = forker.run({
      script: `(env -i PATH=$PATH setsid sh -c '${leftover}' &); until [ -e ${told}.up ]; do sleep 0.02; done; echo mine`,
    });
    const ended = await forker.ended(fence);
    const next = await forker.complete(`touch ${told}.go; echo next`);
    await until('the refusal', () => existsSync(told));
    expect(forker.log(ended).stdout.toString()).toBe('mine\n');
    expect(next.log.stdout.toString()).toBe('next\n');
    forker.forker.kill(other, 'cancel', 0);
    await forker.ended(other);
  });

  test('up to the cap nothing is cut; beyond it the first and the last half are exact', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const cap = 100_001;
    const whole = await forker.complete(writesPattern(cap), { logCapBytes: cap });
    expect(whole.ended).toMatchObject({ keptStdoutBytes: cap, droppedBytes: 0 });
    expect(whole.log.notes).toEqual([]);
    expect(whole.log.stdout.equals(pattern(0, cap))).toBe(true);

    const size = 1_000_003;
    const { ended, log } = await forker.complete(writesPattern(size), { logCapBytes: cap });
    expect(ended).toMatchObject({ keptStdoutBytes: cap, droppedBytes: size - cap, lostBytes: 0 });
    expect(log.notes).toEqual([{ flags: LogFlag.CUT, stdoutBytes: size - cap, stderrBytes: 0 }]);
    expect(log.stdout.equals(Buffer.concat([pattern(0, 50_001), pattern(size - 50_000, size)]))).toBe(true);
  });

  test('the cap is for both streams together, and the cut is counted by stream', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const script = `${writesPattern(80_000)}; ${writesPattern(60_000)} >&2`;
    const { ended, log } = await forker.complete(script, { logCapBytes: 100_000 });
    expect(log.stdout.length + log.stderr.length).toBe(100_000);
    expect(ended).toMatchObject({
      keptStdoutBytes: log.stdout.length,
      keptStderrBytes: log.stderr.length,
      droppedBytes: 40_000,
    });
    const stdoutBytes = 80_000 - log.stdout.length;
    const stderrBytes = 60_000 - log.stderr.length;
    expect(log.notes).toEqual([{ flags: LogFlag.CUT, stdoutBytes, stderrBytes }]);
    expect(isCut(log.stdout, pattern(0, 80_000))).toBe(true);
    expect(isCut(log.stderr, pattern(0, 60_000))).toBe(true);
  });

  test('100 MB in one line, with a cap', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const { ended, log } = await forker.complete('head -c 100000000 /dev/zero | tr "\\0" x; echo end', {
      logCapBytes: 2 * MIB,
    });
    expect(ended).toMatchObject({ keptStdoutBytes: 2 * MIB, droppedBytes: 100_000_004 - 2 * MIB });
    expect(log.stdout.toString('latin1')).toMatch(/^x+end\n$/);
  });

  test('a log without cap is rolled into segments by size', async () => {
    await using forker = await ForkerUnderTest.start(kind, { maxSegmentBytes: MIB });
    const size = 5 * MIB;
    const { ended, log } = await forker.complete(writesPattern(size), { logCapBytes: 2 ** 40 });
    expect(ended.keptStdoutBytes).toBe(size);
    expect(log.stdout.equals(pattern(0, size))).toBe(true);
    expect(ended.logStart).toEqual({ segment: 1, offset: 0 });
    expect(ended.logEnd.segment).toBeGreaterThan(2);
    const files = readdirSync(join(forker.logDir, '1'));
    expect(files).toHaveLength(ended.logEnd.segment);
    for (const file of files) expect(statSync(join(forker.logDir, '1', file)).size).toBeLessThan(3 * MIB);
  });

  test('cap 0 discards all output and makes no file', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const { ended } = await forker.complete('echo out; echo err >&2; exit 5', { logCapBytes: 0 });
    expect(ended).toMatchObject({
      end: { kind: 'exited', code: 5 },
      keptStdoutBytes: 0,
      droppedBytes: 0,
      logStart: { segment: 0, offset: 0 },
      logEnd: { segment: 0, offset: 0 },
    });
    expect(readdirSync(forker.logDir)).toEqual([]);
  });

  test('a task that writes nothing makes no file; files are private', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    await forker.complete(':');
    expect(readdirSync(forker.logDir)).toEqual([]);
    await forker.complete('echo x');
    expect(statSync(join(forker.logDir, '1')).mode & 0o777).toBe(0o700);
    expect(statSync(join(forker.logDir, '1', segmentFileName(forker.tag, 1))).mode & 0o777).toBe(0o600);
  });

  test('jobs have files of their own, more than are kept open; a forgotten job starts a new one', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const jobs = Array.from({ length: 100 }, (_, i) => i + 1);
    const round = (text: string) =>
      Promise.all(
        jobs.map((jobId) =>
          forker.ended(forker.run({ script: `echo ${text} ${jobId}`, jobId, queue: { id: 1, width: 4 } })),
        ),
      );
    const first = await round('first');
    const open = readdirSync(`/proc/${forker.forker.pid}/fd`).length;
    expect(open).toBeLessThan(100);
    const second = await round('second');
    for (const [i, jobId] of jobs.entries()) {
      expect(forker.log(first[i]!, jobId).stdout.toString()).toBe(`first ${jobId}\n`);
      expect(forker.log(second[i]!, jobId).stdout.toString()).toBe(`second ${jobId}\n`);
    }
    forker.forker.forgetJob(1);
    rmSync(join(forker.logDir, '1'), { recursive: true });
    const { log } = await forker.complete('echo again');
    expect(log.stdout.toString()).toBe('again\n');
  });

  test('a task that outlives the removal of its files goes on in a new one', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const gate = join(forker.logDir, 'gate');
    const fence = forker.run({ script: `echo before; until [ -e ${gate} ]; do sleep 0.02; done; echo after` });
    const dir = join(forker.logDir, '1');
    await until('the first bytes', () => existsSync(dir) && readdirSync(dir).length > 0);
    forker.forker.forgetJob(1);
    await forker.complete(`rm -r ${dir}; touch ${gate}`, { jobId: 2 });
    const ended = await forker.ended(fence);
    expect(ended.logEnd.segment).toBeGreaterThanOrEqual(1);
    expect(ended.lostBytes).toBe(0);
    expect(readdirSync(dir)).toHaveLength(1);
  });

  test('what is in the pipe at the end belongs to the attempt', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const fences = Array.from({ length: 20 }, () =>
      forker.run({ script: `${writesPattern(60_000)}`, queue: { id: 1, width: 4 } }),
    );
    for (const fence of fences)
      expect(forker.log(await forker.ended(fence)).stdout.equals(pattern(0, 60_000))).toBe(true);
  });

  test('a full disk', async ({ skip }) => {
    const mounted = mountSmallDisk();
    if (mounted.why !== null) skip(mounted.why);
    const dir = mounted.dir!;
    try {
      await using forker = await ForkerUnderTest.start(kind, { logDir: dir });
      const full = await forker.complete(`${writesPattern(3 * MIB)}`, { logCapBytes: 2 ** 40, cwd: '/' });
      expect(full.ended.lostBytes).toBeGreaterThan(0);
      expect(full.ended.keptStdoutBytes + full.ended.lostBytes).toBe(3 * MIB);
      // A smaller record may still fit after a larger one did not: every gap has its note.
      let at = 0;
      for (const { stream, data } of full.log.records) {
        if (stream === LogStream.NOTE) {
          at += parseLogNote(data)!.stdoutBytes;
        } else {
          expect(pattern(at, at + data.length).equals(data)).toBe(true);
          at += data.length;
        }
      }
      expect(at).toBeLessThanOrEqual(3 * MIB);

      const gate = join(tmpdir(), `gate-${forker.tag}`);
      const waiting = forker.run({
        script: `${writesPattern(200_000)}; until [ -e ${gate} ]; do sleep 0.02; done; echo recovered`,
        cwd: '/',
        logCapBytes: 2 ** 40,
        jobId: 2,
      });
      await forker.started(waiting);
      rmSync(join(dir, '1'), { recursive: true });
      forker.forker.forgetJob(1);
      await forker.complete(`touch ${gate}`, { cwd: '/', jobId: 3 });
      const ended = await forker.ended(waiting);
      rmSync(gate);
      const log = forker.log(ended, 2);
      expect(log.stdout.toString().endsWith('recovered\n')).toBe(true);
      expect(ended.keptStdoutBytes + ended.lostBytes).toBe(200_010);
      expect(log.notes.every((note) => note.flags === LogFlag.LOST)).toBe(true);
      expect(log.notes.reduce((sum, note) => sum + note.stdoutBytes, 0)).toBe(ended.lostBytes);
    } finally {
      execFileSync('umount', [dir]);
      rmSync(dir, { recursive: true });
    }
  });
});

/** A disk of 1 MiB, or why there is none. */
function mountSmallDisk(): { dir: string | null; why: string | null } {
  if (process.getuid?.() !== 0) return { dir: null, why: 'mounting a small disk needs root' };
  const dir = mkdtempSync(join(tmpdir(), 'forker-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir], { encoding: 'utf8' });
  if (mounted.status === 0) return { dir, why: null };
  rmSync(dir, { recursive: true });
  return { dir: null, why: `no mount here: ${(mounted.stderr ?? '').trim()}` };
}
