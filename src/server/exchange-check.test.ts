import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ExchangeRequest } from '../api/session.ts';
import { isExchangeRequest } from './exchange-check.ts';

const number = fc.oneof(fc.nat(), fc.double({ noNaN: true, noDefaultInfinity: true }));
const column = fc.array(number, { maxLength: 4 });
const fence = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const count = fc.maxSafeNat();
const runs = fc.array(fc.tuple(fence, fence), { maxLength: 4 });
const columns = Object.fromEntries(
  Object.keys(ExchangeRequest.shape.ends.unwrap().shape)
    .filter((name) => name !== 'runs')
    .map((name) => [name, column]),
);
const request = fc.record(
  {
    seq: fence,
    ack: count,
    held: fc.record({ count, sum: count }),
    starts: fc.record(
      { fences: fc.array(fence, { maxLength: 4 }), agoMs: column, logSegment: column, logOffset: column },
      { requiredKeys: ['fences'] },
    ),
    ends: fc.record({ runs, ...columns }, { requiredKeys: ['runs'] }),
    returned: runs,
    heldRuns: runs,
    startedRuns: runs,
    heldMembers: fc.array(fence, { maxLength: 4 }),
    draining: fc.boolean(),
  },
  { requiredKeys: ['seq', 'ack', 'held'] },
);

const junk = fc.oneof(
  fc.constantFrom(0, -1, 1.5, 2 ** 53, null, true, '1', '', [], [1], [[1, 1, 1]], {}, undefined),
  fc.jsonValue({ maxDepth: 2 }),
);

/** Another value, or a value under another name, somewhere in a request. */
function alter(value: unknown, path: readonly number[], piece: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return piece;
  const copy: Record<string, unknown> | unknown[] = Array.isArray(value) ? [...value] : { ...value };
  const keys = Object.keys(copy);
  const [step = 0, ...rest] = path;
  const key = keys[step % (keys.length + 1)] ?? (Array.isArray(copy) ? String(copy.length) : name);
  const target = copy as Record<string, unknown>;
  target[key] = rest.length === 0 ? piece : alter(target[key], rest, piece, name);
  return copy;
}

test('the requests made here have all fields of the schema', () => {
  const made = new Set(fc.sample(request, { numRuns: 200, seed: 1 }).flatMap((each) => Object.keys(each)));
  // These are seldom or small, and left to the schema.
  expect([...made, 'instance', 'members', 'planned', 'progress'].toSorted()).toEqual(
    Object.keys(ExchangeRequest.shape).toSorted(),
  );
});

test('it takes every request that the schema takes, so that the schema is not asked', () => {
  fc.assert(
    fc.property(request, (value) => {
      expect(ExchangeRequest.parse(value)).toEqual(value);
      expect(isExchangeRequest(value)).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});

test('it refuses every request that the schema refuses', () => {
  const path = fc.array(fc.nat(20), { minLength: 1, maxLength: 4 });
  const names = fc.constantFrom('extra', 'constructor', '__proto__', 'toString', 'seq');
  let refused = 0;
  fc.assert(
    fc.property(request, path, junk, names, (value, where, piece, name) => {
      const text = JSON.stringify(alter(value, where, piece, name));
      // As in a body: only there can a field be named __proto__.
      const altered: unknown = JSON.parse(text);
      const taken = ExchangeRequest.safeParse(altered);
      if (!taken.success) refused++;
      expect({ text, taken: isExchangeRequest(altered) }).toEqual({ text, taken: taken.success });
      if (taken.success) expect(taken.data).toEqual(altered);
    }),
    { numRuns: 5_000 },
  );
  expect(refused).toBeGreaterThan(1_000);
});

test.each([['1e999'], ['null'], ['"1"'], ['[1]']])('a column with %s is refused', (entry) => {
  const text = `{"seq":1,"ack":0,"held":{"count":0,"sum":0},"ends":{"runs":[[1,1]],"wallUs":[${entry}]}}`;
  expect(isExchangeRequest(JSON.parse(text))).toBe(false);
});

test.each([['["__proto__"]'], ['null'], ['[]'], ['1'], ['{"__proto__":{"seq":1,"ack":0,"held":{"count":0,"sum":0}}}']])(
  '%s is refused',
  (text) => {
    expect(isExchangeRequest(JSON.parse(text))).toBe(false);
  },
);
