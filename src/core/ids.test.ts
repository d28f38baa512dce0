import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asJobId, checkName, formatTaskId, makeArrayId, nameLike, parseJobRef, rawIdOf } from './ids.ts';

describe('parseJobRef', () => {
  it.each(['12', '012', '12_*', '1000000007', '9007199254740991'])('%s is a job', (text) => {
    expect(parseJobRef(text)).toEqual({ kind: 'job', id: Number.parseInt(text, 10) });
  });

  it.each([
    ['12_7', '7'],
    ['12_007', '7'],
    ['12_0', '0'],
    ['12_[7]', '7'],
    ['12_[1,3-5]', '1,3-5'],
    ['12_[0-8:2]', '0-8:2'],
  ])('%s are tasks', (text, indices) => {
    const ref = parseJobRef(text);
    expect(ref).toMatchObject({ kind: 'tasks', id: 12 });
    expect(ref.kind === 'tasks' && ref.indices.toString()).toBe(indices);
  });

  it.each(['train', 'a', '01_align.sh', '2nd', '_x', 'a.b-c_d', `train-20260101-0a1b2c`, '2024-01-01', '12_x'])(
    '%s is a name',
    (name) => {
      expect(parseJobRef(name)).toEqual({ kind: 'name', name });
    },
  );

  const A_JOB = 'a job as 12, 12_7, 12_[1,3-5], or a name';
  const AN_INDEX = 'an index (0 to 4294967294)';
  const THE_END = 'the end; several indices go in brackets, as 12_[1-3]';
  it.each([
    ['', 0, A_JOB, 'the end'],
    ['0', 0, A_JOB, '"0"'],
    ['9007199254740993', 0, A_JOB, '"9007199254740993"'],
    ['-x', 0, A_JOB, '"-"'],
    ['a b', 0, A_JOB, '"a"'],
    ['12 ', 2, '"_" or the end', '" "'],
    ['1-3', 1, '"_" or the end', '"-"'],
    ['12,13', 2, '"_" or the end', '","'],
    ['12_', 3, 'an index, "[" or "*"', 'the end'],
    ['12_4294967295', 3, 'an index, "[" or "*"', '"4294967295"'],
    ['12_1-3', 4, THE_END, '"-"'],
    ['12_1,3', 4, THE_END, '","'],
    ['12_*1', 4, '"_" or the end', '"1"'],
    ['12_[]', 4, AN_INDEX, '"]"'],
    ['12_[1-3', 7, '"," or "]"', 'the end'],
    ['12_[5-1]', 6, 'an end of at least 5', '"1"'],
    ['12_[1]x', 6, THE_END, '"x"'],
    ['12_[1%2]', 5, '"," or "]"', '"%"'],
  ])('%j is refused', (text, at, expected, found) => {
    const message = `job, column ${at + 1}: expected ${expected}, found ${found}\n  ${text}\n  ${' '.repeat(at)}^`;
    expect(() => parseJobRef(text)).toThrow(expect.objectContaining({ code: 'BAD_JOB_REF', message }));
  });

  it('reads every task id that formatTaskId writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1 }), fc.nat({ max: 4_294_967_294 }), (job, index) => {
        const ref = parseJobRef(formatTaskId(asJobId(job), index));
        expect(ref.kind === 'tasks' && [ref.id, ref.indices.size, ref.indices.at(0)]).toEqual([job, 1, index]);
      }),
    );
  });
});

describe('rawIdOf', () => {
  it('is the number of the job where there is no array, else of the block that the job reserved', () => {
    expect(rawIdOf({ id: 12, rawIdBase: 1_000_000_005, isArray: false }, 0)).toBe(12);
    expect(rawIdOf({ id: 12, rawIdBase: 1_000_000_005, isArray: true }, 2)).toBe(1_000_000_007);
  });
});

describe('nameLike', () => {
  it.each([
    ['nf-x_(1)', 'nf-x_-1-'],
    ['../run.sh', 'run.sh'],
    ['12_7', 'job'],
    ['', 'job'],
    ['ü', 'job'],
    ['train-20260109-0a1b2c', 'job'],
  ])('%j becomes %s', (text, name) => expect(nameLike(text)).toBe(name));

  it('makes a name of any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => checkName(nameLike(text)) !== ''));
  });
});

describe('asJobId', () => {
  it.each([0, -1, 1.5, Number.NaN, 2 ** 53])('takes no %d', (n) => {
    expect(() => asJobId(n)).toThrow(RangeError);
  });
});

describe('makeArrayId', () => {
  it('names the day in UTC', () => {
    expect(makeArrayId('train', { y: 2026, m: 1, d: 9 }, '0a1b2c')).toBe('train-20260109-0a1b2c');
    expect(makeArrayId('train', Date.UTC(2026, 0, 9, 23, 59, 59, 999), '0a1b2c')).toBe('train-20260109-0a1b2c');
  });

  it.each(['', '0a1b2', '0a1b2c3', '0A1B2C', 'xyzxyz'])('takes no %j for the random part', (hex) => {
    expect(() => makeArrayId('train', 0, hex)).toThrow(RangeError);
  });
});

describe('checkName', () => {
  it.each(['a', 'A-1', '01_align.sh', '12_x', '1.5', '2024-01-01', 'x'.repeat(63), '_', 'sweep_lr.0-1'])(
    '%s',
    (name) => {
      expect(checkName(name)).toBe(name);
    },
  );

  const CHARACTERS = 'only letters, digits, ".", "_" and "-"';
  const FIRST = 'a letter, a digit or "_" first';
  const NO_ID = 'no number, task id or range: it would be read as one; put a letter first';
  it.each([
    ['', '1 to 63 characters, found 0'],
    ['x'.repeat(64), '1 to 63 characters, found 64'],
    ['a b', CHARACTERS],
    ['a/b', CHARACTERS],
    ['ü', CHARACTERS],
    ['a\n', CHARACTERS],
    ['..', FIRST],
    ['.hidden', FIRST],
    ['-rf', FIRST],
    ['12', NO_ID],
    ['007', NO_ID],
    ['12_7', NO_ID],
    ['12_', NO_ID],
    ['12_1-3', NO_ID],
    ['1-3', NO_ID],
    ['train-20260109-0a1b2c', 'no array id (name-yyyymmdd-6 hex digits): it would be read as one'],
  ])('%j is refused', (name, expected) => {
    const message = `name ${JSON.stringify(name)}: expected ${expected}`;
    expect(() => checkName(name)).toThrow(expect.objectContaining({ code: 'BAD_NAME', message }));
  });

  it('lets through only what is read as a name again, and so is its array id', () => {
    const name = fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom(...'019_-.ab*[],:'.split('')) });
    fc.assert(
      fc.property(name, (text) => {
        try {
          checkName(text);
        } catch {
          return;
        }
        expect(parseJobRef(text)).toEqual({ kind: 'name', name: text });
        const id = makeArrayId(text, 0, 'abcdef');
        expect(parseJobRef(id)).toEqual({ kind: 'name', name: id });
      }),
      { numRuns: 1000 },
    );
  });
});
