import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ReadLog } from '../../../test/support/forker-under-test.ts';
import { ForkerUnderTest } from '../../../test/support/forker-under-test.ts';
import { requireOr } from '../../../test/support/require.ts';
import { canMountSmallDisk, mountSmallDisk } from '../../../test/support/small-disk.ts';
import { LogFlag, LogStream, parseLogNote } from '../../core/log-record.ts';
import { forkerProgram } from './programs.ts';

const { errno } = constants;

const noteTexts = (log: ReadLog): string[] =>
  log.records.filter(({ stream }) => stream === LogStream.NOTE).map(({ data }) => parseLogNote(data)!.text);

describe.each(['native', 'node'] as const)('%s forker: output files', (kind) => {
  test('each stream goes into its file and the log, or both into one in order of arrival', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const file = (name: string) => readFileSync(join(forker.logDir, name), 'utf8');
    const script = 'echo one; echo two >&2; echo three';
    const apart = await forker.complete(script, { outputPath: 'out', errorPath: join(forker.logDir, 'err') });
    expect([file('out'), file('err')]).toEqual(['one\nthree\n', 'two\n']);
    expect([apart.log.stdout.toString(), apart.log.stderr.toString()]).toEqual(['one\nthree\n', 'two\n']);
    expect(apart.ended.copyLostBytes).toBe(0);
    const paced = 'echo one; sleep 0.2; echo two >&2; sleep 0.2; echo three';
    await forker.complete(paced, { outputPath: 'both', errorPath: 'both' });
    expect(file('both')).toBe('one\ntwo\nthree\n');
    await forker.complete(script, { errorPath: 'only-err' });
    expect(file('only-err')).toBe('two\n');
  });

  test('they are emptied first, or added to', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const out = join(forker.logDir, 'out');
    writeFileSync(out, 'a long line of before\n');
    await forker.complete('echo more', { outputPath: out, append: true });
    expect(readFileSync(out, 'utf8')).toBe('a long line of before\nmore\n');
    await forker.complete('echo new', { outputPath: out });
    expect(readFileSync(out, 'utf8')).toBe('new\n');
  });

  test('tasks that share a file add to it', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const gate = join(forker.logDir, 'gate');
    const names = ['first', 'second', 'third'];
    const fences = names.map((name) =>
      forker.run({ script: `until [ -e ${gate} ]; do sleep 0.02; done; echo ${name}`, outputPath: 'out' }),
    );
    for (const fence of fences) await forker.started(fence);
    await forker.complete(`touch ${gate}`);
    for (const fence of fences) await forker.ended(fence);
    expect(readFileSync(join(forker.logDir, 'out'), 'utf8').split('\n').sort()).toEqual(['', ...names]);
  });

  test('missing folders are made, with the umask of the task', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    await forker.complete('echo deep', { outputPath: 'a/b/c/out', umask: 0o027 });
    const mode = (path: string) => statSync(join(forker.logDir, path)).mode & 0o777;
    expect(readFileSync(join(forker.logDir, 'a/b/c/out'), 'utf8')).toBe('deep\n');
    expect([mode('a'), mode('a/b/c'), mode('a/b/c/out')]).toEqual([0o750, 0o750, 0o640]);
    expect((await forker.complete('umask')).log.stdout.toString()).not.toBe('0027\n');
  });

  test('the cap of the log does not bound them, and without a log they are written too', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const size = 3_000_000;
    for (const logCapBytes of [1000, 0]) {
      const { ended } = await forker.complete(`head -c ${size} /dev/zero`, { outputPath: 'out', logCapBytes });
      expect(ended).toMatchObject({ keptStdoutBytes: logCapBytes, copyLostBytes: 0 });
      expect(statSync(join(forker.logDir, 'out')).size).toBe(size);
    }
  });

  test('what cannot be opened fails the run and says why; a missing cwd is not made', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const fifo = join(forker.logDir, 'fifo');
    execFileSync('mkfifo', [fifo]);
    writeFileSync(join(forker.logDir, 'file'), '');
    mkdirSync(join(forker.logDir, 'folder'));
    const missing = join(forker.logDir, 'missing');
    const failures: [Parameters<typeof forker.run>[0], string, number][] = [
      [{ script: ':', outputPath: 'file/out' }, 'output', errno.ENOTDIR],
      [{ script: ':', errorPath: 'folder' }, 'output', errno.EISDIR],
      [{ script: ':', outputPath: fifo }, 'output', errno.ENXIO],
      [{ script: ':', outputPath: 'ok', errorPath: '/proc/none/out' }, 'output', errno.ENOENT],
      [{ script: ':', outputPath: '/dev/stdout' }, 'output', errno.ENXIO],
      [{ script: ':', outputPath: 'out', cwd: missing }, 'cwd', errno.ENOENT],
      [{ script: ':', outputPath: 'nul\0inside' }, kind === 'native' ? 'exec' : 'output', errno.EINVAL],
      [{ script: ':', outputPath: 'x'.repeat(300) }, 'output', errno.ENAMETOOLONG],
    ];
    for (const [run, step, code] of failures) {
      expect(await forker.answer(forker.run(run)), run.outputPath ?? run.errorPath).toMatchObject({
        failed: { step, errno: code },
      });
    }
    expect(existsSync(missing)).toBe(false);
    expect((await forker.complete('echo well', { outputPath: 'out' })).log.stdout.toString()).toBe('well\n');
    const open = execFileSync('ls', ['-l', `/proc/${forker.forker.pid}/fd`], { encoding: 'utf8' });
    expect(open).not.toContain(join(forker.logDir, 'ok'));
  });

  test('what the forker says to the worker cannot be written into, where that is a pipe', async () => {
    const { command, args } = forkerProgram(kind);
    const script = 'cat | "$@" | cat';
    const program = { kind, command: '/bin/sh', args: ['-c', script, 'sh', command, ...args] };
    await using forker = await ForkerUnderTest.start(kind, { program });
    for (const name of ['stdin', 'stdout']) {
      const answer = await forker.answer(forker.run({ script: 'echo', outputPath: `/dev/${name}` }));
      expect(answer).toMatchObject({ failed: { step: 'output', errno: errno.EINVAL } });
    }
    expect((await forker.complete('echo well', { outputPath: '/dev/null' })).log.stdout.toString()).toBe('well\n');
  });

  if (process.getuid?.() !== 0)
    test('a folder that may not be written', async () => {
      await using forker = await ForkerUnderTest.start(kind);
      mkdirSync(join(forker.logDir, 'closed'));
      chmodSync(join(forker.logDir, 'closed'), 0o555);
      const answer = await forker.answer(forker.run({ script: ':', outputPath: 'closed/out' }));
      expect(answer).toMatchObject({ failed: { step: 'output', errno: errno.EACCES } });
    });

  test('a FIFO that nobody empties ends the copy, not the task', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const fifo = join(forker.logDir, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const reader = openSync(fifo, 'r+');
    const size = 500_000;
    const { ended, log } = await forker.complete(`head -c ${size} /dev/zero`, { outputPath: fifo });
    const buffer = Buffer.alloc(size);
    const got = readSync(reader, buffer);
    closeSync(reader);
    expect(ended).toMatchObject({ end: { kind: 'exited', code: 0 }, keptStdoutBytes: size });
    expect(ended.copyLostBytes).toBe(size - got);
    expect(log.notes).toEqual([{ flags: LogFlag.COPY, stdoutBytes: 0, stderrBytes: 0 }]);
  });

  requireOr('the right to mount a tmpfs', canMountSmallDisk())(
    'a full disk ends the copy; the log has everything and says so',
    async () => {
      const disk = mountSmallDisk(1024 * 1024);
      try {
        await using forker = await ForkerUnderTest.start(kind);
        const out = join(disk.path, 'out');
        const size = 3_000_000;
        const script = `head -c ${size} /dev/zero; echo end >&2`;
        const both = { outputPath: out, errorPath: out, logCapBytes: 10_000_000 };
        const { ended, log } = await forker.complete(script, both);
        expect(ended).toMatchObject({
          end: { kind: 'exited', code: 0 },
          cause: 'none',
          keptStdoutBytes: size,
          lostBytes: 0,
        });
        expect(log.stderr.toString()).toBe('end\n');
        expect(ended.copyLostBytes).toBe(size + 4 - statSync(out).size);
        expect(ended.copyLostBytes).toBeGreaterThan(1_000_000);
        expect(noteTexts(log)).toHaveLength(1);
        expect(noteTexts(log)[0]).toMatch(
          /^\.\.\. the copy of output to its file ended here: no space left on device \.\.\.\n$/i,
        );
      } finally {
        disk.unmount();
      }
    },
  );
});
