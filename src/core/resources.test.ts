import { describe, expect, it } from 'vitest';
import { type Amounts, needsOf, Room } from './resources.ts';

const needs = (amounts: Partial<Amounts>) => needsOf({ cpus: 1, memoryBytes: 0, gpus: 0, resources: {}, ...amounts });
const room = () => new Room({ cpus: 8, memoryBytes: 100, gpus: 2, named: { licence: 0.3, disk: 10 }, slots: 5 });

describe('Room', () => {
  it('takes as many tasks as its scarcest resource', () => {
    expect(room().fits(needs({ cpus: 0.1 }))).toBe(5);
    expect(room().fits(needs({ cpus: 3 }))).toBe(2);
    expect(room().fits(needs({ memoryBytes: 30 }))).toBe(3);
    expect(room().fits(needs({ gpus: 1 }))).toBe(2);
    expect(room().fits(needs({ gpus: 0.5 }))).toBe(4);
    expect(room().fits(needs({ resources: { licence: 0.1, disk: 1 } }))).toBe(3);
    expect(room().fits(needs({ resources: { other: 1 } }))).toBe(0);
    expect(room().fits(needs({ resources: { other: 0 } }))).toBe(5);
  });

  it('counts fractions without drift', () => {
    const full = room();
    const tenth = needs({ cpus: 0.01, resources: { licence: 0.1 } });
    for (let round = 0; round < 1_000; round++) {
      full.take(tenth, 3);
      expect([full.fits(tenth), full.named.licence]).toEqual([0, 0]);
      full.take(tenth, -3);
    }
    expect([full.fits(tenth), full.named]).toEqual([3, { licence: 0.3, disk: 10 }]);
  });

  it('is open while a task may find its place', () => {
    const full = room();
    expect([full.open, full.offer.slots]).toEqual([true, 5]);
    full.take(needs({ cpus: 0.1 }), 5);
    expect(full.open).toBe(false);
    const small = new Room({ cpus: 1, memoryBytes: 0 });
    small.take(needs({}), 1);
    expect([small.open, small.slots]).toEqual([false, Number.POSITIVE_INFINITY]);
  });

  it.each<[Partial<Amounts>, boolean]>([
    [{ cpus: 8, memoryBytes: 100, gpus: 2, resources: { licence: 0.3 } }, true],
    [{ cpus: 8.1 }, false],
    [{ memoryBytes: 101 }, false],
    [{ gpus: 3 }, false],
    [{ resources: { licence: 0.4 } }, false],
    [{ resources: { other: 0.1 } }, false],
  ])('is large enough for %j when it is idle: %s', (amounts, large) => {
    const full = room();
    full.take(needs({ cpus: 8, memoryBytes: 100, resources: { licence: 0.3 } }), 1);
    full.gpus.take(20_000);
    expect(full.isLargeEnough(needs(amounts))).toBe(large);
  });

  it('says of what too little is free', () => {
    const full = room();
    const wide = needs({ cpus: 8, memoryBytes: 100, gpus: 2, resources: { licence: 0.3, disk: 1, other: 1 } });
    expect(full.busy(wide)).toEqual(['other']);
    full.take(needs({ cpus: 0.1, memoryBytes: 1, resources: { licence: 0.1 } }), 5);
    full.gpus.take(5_000);
    expect(full.busy(wide)).toEqual(['slots', 'cpus', 'memory', 'gpus', 'licence', 'other']);
    expect(full.busy(needs({ cpus: 0.1 }))).toEqual(['slots']);
  });

  it('says how far it is from taking a wide task', () => {
    const full = room();
    expect(full.lacks(needs({ cpus: 8, memoryBytes: 100, gpus: 2, resources: { licence: 0.3 } }))).toBe(0);
    full.take(needs({ cpus: 2, memoryBytes: 10, resources: { licence: 0.2 } }), 1);
    expect(full.lacks(needs({ cpus: 8 }))).toBe(0.25);
    expect(full.lacks(needs({ cpus: 8, memoryBytes: 100 }))).toBe(0.25);
    expect(full.lacks(needs({ resources: { licence: 0.2 } }))).toBe(0.5);
    expect(full.lacks(needs({ resources: { other: 1 } }))).toBe(1);
    full.gpus.take(7_000);
    expect([full.lacks(needs({ gpus: 2 })), full.lacks(needs({ gpus: 0.5 }))]).toEqual([0.5, 0]);
    full.gpus.take(7_000);
    expect([full.lacks(needs({ gpus: 0.5 })), full.lacks(needs({ gpus: 0.3 }))]).toEqual([1, 0]);
    full.take(needs({ cpus: 0.1 }), 4);
    expect(full.lacks(needs({ cpus: 0.1 }))).toBe(1);
  });

  it('takes beside what it saves up only what does not put that off', () => {
    const full = room();
    expect(full.fitsBeside(needs({}), needs({ gpus: 2 }))).toBe(4);
    expect(full.fitsBeside(needs({ gpus: 1 }), needs({ gpus: 2 }))).toBe(0);
    expect(full.fitsBeside(needs({ gpus: 1 }), needs({ cpus: 6 }))).toBe(2);
    expect(full.fitsBeside(needs({ cpus: 2 }), needs({ cpus: 5 }))).toBe(1);
    expect(full.fitsBeside(needs({ memoryBytes: 10 }), needs({ memoryBytes: 80 }))).toBe(2);
    expect(full.fitsBeside(needs({ resources: { disk: 2 } }), needs({ resources: { disk: 5 } }))).toBe(2);
    expect(full.fitsBeside(needs({ resources: { disk: 2 } }), needs({ resources: { licence: 0.1 } }))).toBe(4);
    expect(full.fitsBeside(needs({ resources: { other: 2 } }), needs({}))).toBe(0);
    full.take(needs({ cpus: 5 }), 1);
    // What is missing of a wide task is not taken away again; the rest is free.
    expect(full.fitsBeside(needs({ cpus: 1 }), needs({ cpus: 6 }))).toBeLessThan(1);
  });
});
