import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  combine,
  type DependencyType,
  decideTask,
  decideWhole,
  formatDependency,
  parseDependency,
  type Term,
  type TermState,
} from './dependency.ts';
import { asJobId } from './ids.ts';
import { IndexSet } from './index-set.ts';
import { TASK_STATES, TaskState, type TaskStateName } from './task-state.ts';

const TYPES: DependencyType[] = ['after', 'afterany', 'afterok', 'afternotok', 'aftercorr'];

function plain(term: Term): unknown {
  return term.type === 'singleton' ? term.type : [term.type, term.jobId, term.indices?.toString(), term.delayMs];
}

describe('a key in place of a number', () => {
  const keys = new Map(['prep', 'prep_1', 'a.b-c', '12'].map((key, at) => [key, asJobId(at + 1)]));

  it.each<[string, unknown[]]>([
    ['afterok:@prep', [['afterok', 1, undefined, 0]]],
    ['@prep', [['afterany', 1, undefined, 0]]],
    ['@prep_*', [['afterany', 1, undefined, 0]]],
    ['aftercorr:@prep_[1-3]', [['aftercorr', 1, '1-3', 0]]],
    ['afterok:@prep_7', [['afterok', 1, '7', 0]]],
    ['afterok:@prep_1', [['afterok', 2, undefined, 0]]],
    ['afterok:@prep_[1]', [['afterok', 1, '1', 0]]],
    [
      'after:@a.b-c+5:7,afterok:@12',
      [
        ['after', 3, undefined, 300_000],
        ['after', 7, undefined, 0],
        ['afterok', 4, undefined, 0],
      ],
    ],
  ])('%s', (text, terms) => {
    expect(parseDependency(text, keys).terms.map(plain)).toEqual(terms);
  });

  it.each<[string, number, string]>([
    ['afterok:@nobody', 9, 'the key of a job that is submitted with it'],
    ['afterok:@', 9, 'the key of a job that is submitted with it'],
    ['afterok:@prep_', 14, 'an index, "[" or "*"'],
    ['afterok:prep', 8, 'a job number'],
  ])('%s is refused', (text, at, expected) => {
    expect(() => parseDependency(text, keys)).toThrow(
      expect.objectContaining({ code: 'BAD_DEPENDENCY', details: { text, at, expected } }),
    );
  });

  it('is none where no jobs have keys', () => {
    expect(() => parseDependency('afterok:@prep')).toThrow('a job number');
    expect(() => parseDependency('@prep')).toThrow('a job number');
  });
});

describe('parseDependency', () => {
  it.each<[string, 'all' | 'any', unknown[]]>([
    ['afterok:12', 'all', [['afterok', 12, undefined, 0]]],
    ['afterok:12_*', 'all', [['afterok', 12, undefined, 0]]],
    ['afterok:12_7', 'all', [['afterok', 12, '7', 0]]],
    ['afterok:12_[1,3-5]', 'all', [['afterok', 12, '1,3-5', 0]]],
    ['12', 'all', [['afterany', 12, undefined, 0]]],
    [
      '12_7:13,14',
      'all',
      [
        ['afterany', 12, '7', 0],
        ['afterany', 13, undefined, 0],
        ['afterany', 14, undefined, 0],
      ],
    ],
    ['AfterOK:12', 'all', [['afterok', 12, undefined, 0]]],
    ['after:12+5', 'all', [['after', 12, undefined, 300_000]]],
    [
      'after:12_7+5:13:14_[1,2]+60',
      'all',
      [
        ['after', 12, '7', 300_000],
        ['after', 13, undefined, 0],
        ['after', 14, '1-2', 3_600_000],
      ],
    ],
    ['singleton', 'all', ['singleton']],
    ['aftercorr:12,SINGLETON', 'all', [['aftercorr', 12, undefined, 0], 'singleton']],
    [
      'afterok:20:21?afternotok:23',
      'any',
      [
        ['afterok', 20, undefined, 0],
        ['afterok', 21, undefined, 0],
        ['afternotok', 23, undefined, 0],
      ],
    ],
  ])('%s', (text, mode, terms) => {
    const dependency = parseDependency(text);
    expect(dependency.mode).toBe(mode);
    expect(dependency.terms.map(plain)).toEqual(terms);
  });

  const A_TYPE = 'after, afterany, afterok, afternotok, aftercorr, singleton or a job number';
  const A_JOB = 'a job number';
  const MORE = '":", ",", "?" or the end';
  it.each([
    ['', 0, A_TYPE, 'the end'],
    ['afterokk:12', 0, A_TYPE, '"afterokk"'],
    ['expand:12', 0, A_TYPE, '"expand"'],
    [':12', 0, A_TYPE, '":"'],
    ['afterok', 7, '":" and a job number', 'the end'],
    ['afterok 12', 7, '":" and a job number', '" "'],
    ['afterok:', 8, A_JOB, 'the end'],
    ['afterok:0', 8, A_JOB, '"0"'],
    ['afterok:train', 8, A_JOB, '"train"'],
    ['afterok:12:', 11, A_JOB, 'the end'],
    ['afterok:12,,afterok:13', 11, A_TYPE, '","'],
    ['afterok:12,', 11, A_TYPE, 'the end'],
    ['afterok:12, afterok:13', 11, A_TYPE, '" "'],
    ['afterok:12x', 10, MORE, '"x"'],
    ['afterok:12_7x', 12, MORE, '"x"'],
    ['afterok:12_', 11, 'an index, "[" or "*"', 'the end'],
    ['afterok:12_[1-2', 15, '"," or "]"', 'the end'],
    ['afterok:12_[2-1],13', 14, 'an end of at least 2', '"1"'],
    ['afterok:12_[]', 12, 'an index (0 to 4294967294)', '"]"'],
    ['singleton:12', 9, MORE, '":"'],
    ['afterok:12+5', 10, 'no delay with afterok: only after takes one', '"+"'],
    ['after:12+0', 9, 'a delay of at least 1 minute', '"0"'],
    ['after:12+', 9, 'a delay in whole minutes', 'the end'],
    ['after:12+9999999', 9, 'a delay in whole minutes', '"9999999"'],
    ['after:1?after:2,after:3', 15, '"?" as before: a list is all "," (and) or all "?" (or)', '","'],
    ['after:1,after:2?after:3', 15, '"," as before: a list is all "," (and) or all "?" (or)', '"?"'],
  ])('%j is refused', (text, at, expected, found) => {
    const message = `dependency, column ${at + 1}: expected ${expected}, found ${found}\n  ${text}\n  ${' '.repeat(at)}^`;
    expect(() => parseDependency(text)).toThrow(expect.objectContaining({ code: 'BAD_DEPENDENCY', message }));
  });

  it('reads back what formatDependency writes', () => {
    const indices = fc.option(
      fc
        .array(
          fc.record({ start: fc.nat(50), step: fc.integer({ min: 1, max: 5 }), count: fc.integer({ min: 1, max: 5 }) }),
          {
            minLength: 1,
            maxLength: 4,
          },
        )
        .map((runs) => IndexSet.fromRuns(runs)),
    );
    const term: fc.Arbitrary<Term> = fc.oneof(
      fc.constant({ type: 'singleton' as const }),
      fc
        .tuple(fc.constantFrom(...TYPES), fc.integer({ min: 1 }).map(asJobId), indices, fc.nat(1000))
        .map(([type, jobId, set, minutes]) => ({
          type,
          jobId,
          indices: set,
          delayMs: type === 'after' ? minutes * 60_000 : 0,
        })),
    );
    fc.assert(
      fc.property(fc.array(term, { minLength: 1, maxLength: 5 }), fc.boolean(), (terms, any) => {
        const dependency = { mode: any && terms.length > 1 ? ('any' as const) : ('all' as const), terms };
        const text = formatDependency(dependency);
        const again = parseDependency(text);
        expect(again.mode).toBe(dependency.mode);
        expect(again.terms.map(plain)).toEqual(terms.map(plain));
        expect(formatDependency(again)).toBe(text);
      }),
    );
  });

  it.each([
    ['12', 'afterany:12'],
    ['AFTER:12_[3]+5:13', 'after:12_3+5,after:13'],
    ['12_[5,1,2]?singleton', 'afterany:12_[1-2,5]?singleton'],
  ])('%s is written %s', (text, canonical) => {
    expect(formatDependency(parseDependency(text))).toBe(canonical);
  });
});

describe('combine', () => {
  it.each<[TermState[], all: TermState, any: TermState]>([
    [['satisfied'], 'satisfied', 'satisfied'],
    [['failed'], 'failed', 'failed'],
    [['pending'], 'pending', 'pending'],
    [['satisfied', 'pending'], 'pending', 'satisfied'],
    [['failed', 'pending'], 'failed', 'pending'],
    [['failed', 'satisfied'], 'failed', 'satisfied'],
    [['satisfied', 'satisfied'], 'satisfied', 'satisfied'],
    [['failed', 'failed'], 'failed', 'failed'],
    [['failed', 'satisfied', 'pending'], 'failed', 'satisfied'],
  ])('%j', (states, all, any) => {
    expect(combine('all', states)).toBe(all);
    expect(combine('any', states)).toBe(any);
    expect(combine('all', states.toReversed())).toBe(all);
    expect(combine('any', states.toReversed())).toBe(any);
  });
});

describe('decideWhole', () => {
  const NONE = { total: 3, ended: 0, completed: 0, needed: 3, startedOrEnded: 0 };
  it.each<[string, typeof NONE, Record<DependencyType, TermState>]>([
    [
      'nothing started',
      NONE,
      { after: 'pending', afterany: 'pending', afterok: 'pending', afternotok: 'pending', aftercorr: 'pending' },
    ],
    [
      'all but one started',
      { ...NONE, startedOrEnded: 2 },
      { after: 'pending', afterany: 'pending', afterok: 'pending', afternotok: 'pending', aftercorr: 'pending' },
    ],
    [
      'all started',
      { ...NONE, startedOrEnded: 3 },
      { after: 'satisfied', afterany: 'pending', afterok: 'pending', afternotok: 'pending', aftercorr: 'pending' },
    ],
    [
      'one failed, one runs',
      { ...NONE, ended: 2, completed: 1, startedOrEnded: 3 },
      { after: 'satisfied', afterany: 'pending', afterok: 'pending', afternotok: 'pending', aftercorr: 'pending' },
    ],
    [
      'all completed',
      { ...NONE, ended: 3, completed: 3, startedOrEnded: 3 },
      { after: 'satisfied', afterany: 'satisfied', afterok: 'satisfied', afternotok: 'failed', aftercorr: 'satisfied' },
    ],
    [
      'all ended, one not ok',
      { ...NONE, ended: 3, completed: 2, startedOrEnded: 3 },
      { after: 'satisfied', afterany: 'satisfied', afterok: 'failed', afternotok: 'satisfied', aftercorr: 'failed' },
    ],
    [
      'all ended, as many ok as were needed',
      { total: 3, ended: 3, completed: 2, needed: 2, startedOrEnded: 3 },
      { after: 'satisfied', afterany: 'satisfied', afterok: 'satisfied', afternotok: 'failed', aftercorr: 'satisfied' },
    ],
  ])('%s', (_, summary, states) => {
    for (const type of TYPES) expect(decideWhole(type, summary)).toBe(states[type]);
  });
});

describe('decideTask', () => {
  // In the order of TYPES: p pending, s satisfied, f failed.
  const EXPECTED: Record<TaskStateName, string> = {
    blocked: 'ppppp',
    ready: 'ppppp',
    leased: 'ppppp',
    running: 'spppp',
    completed: 'sssfs',
    failed: 'ssfsf',
    cancelled: 'ssfsf',
    skipped: 'ssfsf',
  };
  it.each(TASK_STATES)('of a %s task', (name) => {
    expect(TYPES.map((type) => decideTask(type, TaskState[name]).charAt(0)).join('')).toBe(EXPECTED[name]);
  });
});
