import { expect, test } from 'vitest';
import { Grid } from './grid-text.ts';

const counts = (...list: number[]) => [...list, ...new Array(8 - list.length).fill(0)];

test('a cell looks as the most telling of its tasks, by sign or colour', () => {
  const grid = new Grid();
  const states = [0, 1, 2, 3, 4, 5, 6, 7].map((state) => counts(...new Array(state).fill(0), 2));
  grid.take({ size: 20, cells: 10, changed: states.map((of, cell) => [cell, of]), ended: false });
  grid.take({ size: 20, cells: 10, changed: [[8, counts(0, 0, 0, 1, 99, 1)]], ended: false });
  expect(grid.lines(10, false)).toEqual([':.~>#x-/x ']);
  expect(grid.lines(4, false)).toEqual([':.~>', '#x-/', 'x ']);
  expect(grid.lines(10, true)[0]).toContain('\x1b[31m■\x1b[0m');
  expect(grid.legend(false)).toBe(
    'x failed  > running  - cancelled  / skipped  ~ leased  . ready  : blocked  # completed',
  );
});

test('what is told later replaces what was told; after a break all cells come again', () => {
  const grid = new Grid();
  grid.take({
    size: 2,
    cells: 2,
    changed: [
      [0, counts(0, 1)],
      [1, counts(0, 1)],
    ],
    ended: false,
  });
  grid.take({ size: 2, cells: 2, changed: [[1, counts(0, 0, 0, 1)]], ended: false });
  expect(grid.lines(80, false)).toEqual(['.>']);
  expect(grid.legend(false)).toBe('> running  . ready');
});
