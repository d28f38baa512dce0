import { expect, test } from 'vitest';
import { outcomeOf } from './outcome-of.ts';

const exited = (code: number) => ({ kind: 'exited', code }) as const;
const TERM = { kind: 'signalled', signal: 15 } as const;
const END = { ...TERM, core: false } as const;

test.each([
  ['none', exited(3), exited(3)],
  ['none', END, TERM],
  ['timeLimit', exited(7), { kind: 'timedOut', exit: exited(7) }],
  ['timeLimit', END, { kind: 'timedOut', exit: TERM }],
  ['cancel', exited(0), { kind: 'cancelled', exit: exited(0) }],
  ['cancel', END, { kind: 'cancelled', exit: TERM }],
  ['memory', END, { kind: 'outOfMemory' }],
  ['lease', END, { kind: 'lost' }],
  ['shutdown', exited(0), exited(0)],
  ['shutdown', exited(1), { kind: 'preempted' }],
] as const)('%s and %j', (cause, end, outcome) => {
  expect(outcomeOf({ cause, end })).toEqual(outcome);
});
