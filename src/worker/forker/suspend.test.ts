import { readFileSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ForkerUnderTest, gone, readPid, TERMED } from '../../../test/support/forker-under-test.ts';
import { until } from '../../../test/support/until.ts';

const { signals } = constants;

/** `T` of a stopped one. */
function stateOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.charAt(stat.lastIndexOf(')') + 2);
}
const standsStill = (pid: number) => until(`process ${pid} to stand still`, () => stateOf(pid) === 'T');
const goesOn = (pid: number) => until(`process ${pid} to go on`, () => 'RSD'.includes(stateOf(pid)));

/** Writes its number to a file, then a byte to another again and again. It starts nothing: a shell that waits for a start shows another state. */
const busy = (file: string) => `sh -c 'echo $$ > ${file}; while :; do printf x >> ${file}.x; done'`;

describe.each(['native', 'node'] as const)('%s forker: suspend', (kind) => {
  test('all processes stand still, also below and outside of the group, and go on', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const names = ['inside', 'session', 'left', 'deep'].map((name) => join(forker.logDir, name));
    const [inside, session, left, deep] = names as [string, string, string, string];
    const script = `${busy(inside)} & setsid ${busy(session)} & (setsid ${busy(left)} &) ; sh -c "setsid sh -c \\"${busy(deep).replaceAll('$', '\\\\\\$')}\\"; :" & wait`;
    const fence = forker.run({ script });
    const { pid } = await forker.started(fence);
    const pids = [pid, ...(await Promise.all(names.map(readPid)))];
    forker.forker.suspend(fence, true);
    forker.forker.suspend(fence, true);
    for (const each of pids) await standsStill(each);
    const sizes = names.map((name) => statSync(`${name}.x`).size);
    forker.forker.signal(fence, signals.SIGCONT, false);
    const other = await forker.complete('true');
    expect(other.ended).toMatchObject({ end: { kind: 'exited', code: 0 } });
    expect(names.map((name) => statSync(`${name}.x`).size)).toEqual(sizes);
    forker.forker.suspend(fence, false);
    forker.forker.suspend(fence, false);
    for (const each of pids) await goesOn(each);
    for (const [at, name] of names.entries()) {
      await until(`${name} to be written on`, () => statSync(`${name}.x`).size > sizes[at]!);
    }
    forker.forker.kill(fence, 'cancel', 0);
    await forker.ended(fence);
    for (const each of pids) await gone(each);
  });

  test('neither the time limit nor its warning comes while it stands still, and both do after', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const [up, told, done] = ['up', 'told', 'done'].map((name) => join(forker.logDir, name)) as [
      string,
      string,
      string,
    ];
    const script = `trap 'echo 1 > ${told}' USR1; echo 1 > ${up}; while :; do sleep 0.02; done`;
    const warning = { signal: signals.SIGUSR1, beforeMs: 150, mainOnly: true };
    const began = performance.now();
    const fence = forker.run({ script, timeLimitMs: 600_000, warning });
    await readPid(up);
    forker.forker.suspend(fence, true);
    // Both moments are over long before it goes on, as far as the clock on the wall is concerned.
    forker.forker.limit(fence, 500);
    const sleeper = await forker.complete(`sleep 0.7; echo 1 > ${done}`);
    expect(sleeper.ended).toMatchObject({ end: { kind: 'exited', code: 0 } });
    expect(() => statSync(told)).toThrow();
    forker.forker.suspend(fence, false);
    await readPid(told);
    const ended = await forker.ended(fence);
    expect(ended).toMatchObject({ end: TERMED, cause: 'timeLimit' });
    expect(ended.wallUs).toBeGreaterThanOrEqual(500_000);
    expect(ended.wallUs).toBeLessThan((performance.now() - began) * 1_000 - sleeper.ended.wallUs);
  });

  test.each(['cancel', 'shutdown'] as const)('%s ends it in order', async (cause) => {
    await using forker = await ForkerUnderTest.start(kind);
    const ready = join(forker.logDir, 'ready');
    const script = `trap 'echo saved; exit 7' TERM; echo 1 > ${ready}; while :; do sleep 0.02; done`;
    const fence = forker.run({ script });
    await readPid(ready);
    forker.forker.suspend(fence, true);
    forker.forker.kill(fence, cause, 60_000);
    const ended = await forker.ended(fence);
    expect(ended).toMatchObject({ end: { kind: 'exited', code: 7 }, cause });
    expect(forker.log(ended).stdout.toString()).toBe('saved\n');
  });

  test('one that is being killed, has ended or never was is left alone', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const ready = join(forker.logDir, 'ready');
    const fence = forker.run({
      script: `trap 'sleep 0.2; exit 3' TERM; echo 1 > ${ready}; while :; do sleep 0.02; done`,
    });
    await readPid(ready);
    forker.forker.kill(fence, 'cancel', 60_000);
    forker.forker.suspend(fence, true);
    expect(await forker.ended(fence)).toMatchObject({ end: { kind: 'exited', code: 3 } });
    forker.forker.suspend(fence, true);
    forker.forker.suspend(4711, true);
    expect((await forker.complete('true')).ended).toMatchObject({ end: { kind: 'exited', code: 0 } });
  });

  test('the end of the forker ends it too', async () => {
    await using forker = await ForkerUnderTest.start(kind);
    const fence = forker.run({ script: 'exec sleep 1000' });
    const { pid } = await forker.started(fence);
    forker.forker.suspend(fence, true);
    await standsStill(pid);
    await forker.forker.close();
    await gone(pid);
  });
});
