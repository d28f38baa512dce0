import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesFailure, parseFailureFilter, parseRetryFilter } from './failure-filter.ts';
import { encodeOutcome, type Outcome } from './outcome.ts';

const CODES = Array.from({ length: 256 }, (_, code): Outcome => ({ kind: 'exited', code }));
const SIGNALS = Array.from({ length: 64 }, (_, at): Outcome => ({ kind: 'signalled', signal: at + 1 }));
const PLAIN = (['timedOut', 'outOfMemory', 'cancelled', 'preempted', 'lost', 'stalled'] as const).map(
  (kind): Outcome => ({ kind }),
);
const ALL = [...CODES, ...SIGNALS, ...PLAIN];

function named(filter: ReturnType<typeof parseFailureFilter>): Outcome[] {
  return ALL.filter((outcome) => matchesFailure(filter, encodeOutcome(outcome)));
}

function exits(...codes: number[]): Outcome[] {
  return codes.map((code) => CODES[code]!);
}

describe('parseFailureFilter', () => {
  it.each<[string, Outcome[]]>([
    ['1', exits(1)],
    ['0', exits(0)],
    ['100-103', exits(100, 101, 102, 103)],
    [' 1 , 3-4 ', exits(1, 3, 4)],
    ['exit=137', exits(137)],
    ['exit=1-2,EXIT=255', exits(1, 2, 255)],
    ['exit!=2-255', exits(0, 1)],
    ['exit', CODES.slice(1)],
    ['cause=exit', CODES.slice(1)],
    ['signal=KILL', [{ kind: 'signalled', signal: 9 }]],
    ['signal=sigkill', [{ kind: 'signalled', signal: 9 }]],
    ['signal=9', [{ kind: 'signalled', signal: 9 }]],
    ['signal=64', [{ kind: 'signalled', signal: 64 }]],
    ['SIGTERM,sigHup', [SIGNALS[0]!, SIGNALS[14]!]],
    ['signal', SIGNALS],
    ['cause=signal', SIGNALS],
    ['oom', [{ kind: 'outOfMemory' }]],
    ['cause=out-of-memory', [{ kind: 'outOfMemory' }]],
    ['Time-Limit', [{ kind: 'timedOut' }]],
    ['lost,preempted,cancelled', PLAIN.slice(2, 5)],
    ['stalled', [{ kind: 'stalled' }]],
    ['cause=lost', [{ kind: 'lost' }]],
  ])('%s', (text, outcomes) => {
    expect(named(parseFailureFilter(text))).toEqual(outcomes);
  });

  it.each([
    ['', 0, 'time-limit'],
    ['1,', 2, 'SIGKILL'],
    ['1,,2', 2, 'SIGKILL'],
    ['1 2', 2, '"," or the end'],
    ['256', 0, 'an exit code (0 to 255)'],
    ['9-3', 2, 'an exit code (9 to 255)'],
    ['5-', 2, 'an exit code (5 to 255)'],
    ['exit=', 5, 'an exit code (0 to 255)'],
    ['exit!3', 5, '"="'],
    ['signal=', 7, 'KILL, SIGKILL or 9 (1 to 64)'],
    ['signal=0', 7, 'KILL, SIGKILL or 9 (1 to 64)'],
    ['signal=65', 7, 'KILL, SIGKILL or 9 (1 to 64)'],
    ['signal=WHAT', 7, 'KILL, SIGKILL or 9 (1 to 64)'],
    ['KILL', 0, 'a signal as SIGKILL'],
    ['SIGWHAT', 0, 'a signal as SIGKILL'],
    ['cause', 5, '"="'],
    ['1,cause=memory', 8, 'exit, signal, oom, time-limit, stalled, lost, preempted or cancelled'],
  ])('refuses %j at column %d', (text, at, expected) => {
    const error = catchError(() => parseFailureFilter(text));
    expect(error).toMatchObject({ code: 'BAD_FILTER', details: { text, at } });
    expect(error.details?.expected).toContain(expected);
  });

  it('shows where', () => {
    expect(catchError(() => parseFailureFilter('1,300')).message).toBe(
      'filter, column 3: expected an exit code (0 to 255), found "300"\n  1,300\n    ^',
    );
  });

  it('names what a naive matcher names', () => {
    fc.assert(
      fc.property(fc.array(ITEM, { minLength: 1, maxLength: 12 }), (items) => {
        const filter = parseFailureFilter(items.map(({ text }) => text).join(','));
        expect(named(filter)).toEqual(ALL.filter((outcome) => items.some(({ fits }) => fits(outcome))));
      }),
    );
  });

  it('answers any text with a filter or with BAD_FILTER', () => {
    const piece = fc.constantFrom('exit', 'signal', 'cause', '=', '!', '-', ',', ' ', 'oom', 'SIG', 'KILL', '7', '999');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((pieces) => pieces.join('')),
        ),
        (text) => {
          try {
            expect(named(parseFailureFilter(text)).length).toBeGreaterThan(0);
          } catch (error) {
            const { code, details } = error as { code: string; details: { at: number } };
            // `exit!=0-255` names nothing, and says so by matching nothing.
            if (code === undefined) expect(text).toContain('!=');
            else expect([code, details.at <= text.length]).toEqual(['BAD_FILTER', true]);
          }
        },
      ),
    );
  });
});

describe('parseRetryFilter', () => {
  it('names failures as the other does', () => {
    const text = '1,100-110,exit=7,SIGKILL,signal=15,oom,time-limit';
    expect(parseRetryFilter(text)).toEqual(parseFailureFilter(text));
    expect(named(parseRetryFilter('exit!=0'))).toEqual(CODES.slice(1));
    expect(named(parseRetryFilter('exit!=3')).length).toBe(254);
  });

  it.each(['0', 'exit=0-5', 'lost', 'preempted', 'cancelled', 'cause=lost', '1,cause=cancelled'])(
    'refuses %s, of which a retry policy has no say',
    (text) => {
      expect(catchError(() => parseRetryFilter(text)).code).toBe('BAD_FILTER');
    },
  );
});

interface Item {
  readonly text: string;
  readonly fits: (outcome: Outcome) => boolean;
}

function spelled(text: string): fc.Arbitrary<string> {
  return fc.constantFrom(text, text.toUpperCase(), text.toLowerCase(), ` ${text}`, `${text} `);
}

function item(text: string, fits: Item['fits']): fc.Arbitrary<Item> {
  return spelled(text).map((spelling) => ({ text: spelling, fits }));
}

function isExit(outcome: Outcome, from: number, to: number): boolean {
  return outcome.kind === 'exited' && outcome.code >= from && outcome.code <= to;
}

const CODE = fc.nat(255);
const ITEM: fc.Arbitrary<Item> = fc.oneof(
  fc
    .tuple(CODE, CODE, fc.constantFrom('', 'exit='))
    .chain(([a, b, key]) =>
      item(`${key}${Math.min(a, b)}-${Math.max(a, b)}`, (o) => isExit(o, Math.min(a, b), Math.max(a, b))),
    ),
  CODE.chain((code) => item(`${code}`, (o) => isExit(o, code, code))),
  CODE.chain((code) => item(`exit!=${code}`, (o) => o.kind === 'exited' && o.code !== code)),
  fc
    .integer({ min: 1, max: 64 })
    .chain((signal) => item(`signal=${signal}`, (o) => o.kind === 'signalled' && o.signal === signal)),
  fc
    .constantFrom('SIGKILL', 'signal=KILL', 'signal=SIGKILL')
    .chain((text) => item(text, (o) => o.kind === 'signalled' && o.signal === 9)),
  fc.constantFrom('', 'cause=').chain((key) =>
    fc.oneof(
      item(`${key}exit`, (o) => isExit(o, 1, 255)),
      item(`${key}signal`, (o) => o.kind === 'signalled'),
      item(`${key}oom`, (o) => o.kind === 'outOfMemory'),
      item(`${key}time-limit`, (o) => o.kind === 'timedOut'),
      item(`${key}lost`, (o) => o.kind === 'lost'),
      item(`${key}preempted`, (o) => o.kind === 'preempted'),
    ),
  ),
);

function catchError(work: () => unknown): { code?: string; message: string; details?: { expected: string } } {
  try {
    work();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was refused');
}
