import { expect, test } from 'vitest';
import { readTimeFormat } from './time-format.ts';

const AT = Date.UTC(2026, 10, 21, 23, 1, 6, 900);
const written = (format: string, minutes: number) =>
  readTimeFormat({ SLURM_TIME_FORMAT: format }, AT, () => minutes).text(AT);

test.each([
  ['%s', '1795302066', '1795302066'],
  ['%z', '+0530', '-0330'],
  ['%c', 'Sun Nov 22 04:31:06 2026', 'Sat Nov 21 19:31:06 2026'],
  ['%x %X', '11/22/26 04:31:06', '11/21/26 19:31:06'],
  ['%r %P', '04:31:06 AM am', '07:31:06 PM pm'],
  ['%C %E', '20 %E', '20 %E'],
])('SLURM_TIME_FORMAT=%s east and west of Greenwich', (format, east, west) => {
  expect([written(format, 330), written(format, -210)]).toEqual([east, west]);
});
