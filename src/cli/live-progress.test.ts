import { expect, test } from 'vitest';
import { aDelta, aJob, someCounts } from '../../test/support/cli-world.ts';
import { LiveProgress } from './live-progress.ts';
import type { World } from './world.ts';

const CLEAR = '\r\x1b[K';
const running = (completed: number) =>
  aDelta(aJob({ state: 'running', counts: someCounts({ completed, running: 1, ready: 9 - completed }) }));

function progress(isTTY: boolean, columns = 80) {
  const written: string[] = [];
  let tick = () => {};
  let stopped = false;
  const stderr = { isTTY, columns, colour: false, write: (text: string) => written.push(text) };
  const every = (_: number, call: () => void) => {
    tick = call;
    return () => {
      stopped = true;
    };
  };
  const live = new LiveProgress({ stderr, every, now: () => 0 } as unknown as World);
  return { live, written, tick: () => tick(), stopped: () => stopped };
}

test('on a terminal: at once, then drawn over, and gone at the end', () => {
  const { live, written, tick, stopped } = progress(true);
  live.update(running(0));
  expect(written).toEqual([`${CLEAR}job 12  ${'─'.repeat(20)}  0/10, 1 running`]);
  tick();
  expect(written).toHaveLength(1);
  live.update(running(5));
  tick();
  expect(written.at(-1)).toBe(`${CLEAR}job 12  ${'━'.repeat(10)}${'─'.repeat(10)}  5/10, 1 running`);
  live.end();
  expect(written.at(-1)).toBe(CLEAR);
  expect(stopped()).toBe(true);
});

test('makes room for other lines and comes back', () => {
  const { live, written, tick } = progress(true);
  live.update(running(0));
  live.hide();
  expect(written.at(-1)).toBe(CLEAR);
  live.hide();
  expect(written).toHaveLength(2);
  tick();
  expect(written.at(-1)).toContain('0/10');
});

test('never wider than the terminal: without the bar, then cut', () => {
  const narrow = progress(true, 30);
  narrow.live.update(running(0));
  expect(narrow.written).toEqual([`${CLEAR}job 12  0/10, 1 running`]);
  const tiny = progress(true, 10);
  tiny.live.update(running(0));
  expect(tiny.written).toEqual([`${CLEAR}job 12  0`]);
});

test('elsewhere: a line when it is time, if it says something new, and nothing to clear', () => {
  const { live, written, tick } = progress(false);
  live.update(running(0));
  expect(written).toEqual([]);
  tick();
  tick();
  live.update(running(5));
  tick();
  live.end();
  expect(written).toEqual(['job 12  0/10, 1 running\n', 'job 12  5/10, 1 running\n']);
});
