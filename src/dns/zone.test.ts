import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NameOwner, OwnedName } from './dns.ts';
import { Zone } from './zone.ts';

const DOMAIN = 'spore.host';
const GROUP = `compute.1kpqzg2c.${DOMAIN}`;

const owner = (id: string, arrayId = 'compute-20260113-abc123', generation = 1): NameOwner => ({
  id,
  arrayId,
  generation,
});
const own = (label: string, address: string): OwnedName => ({
  name: `${label}.1kpqzg2c.${DOMAIN}`,
  address,
  shared: false,
});
const group = (address: string): OwnedName => ({ name: GROUP, address, shared: true });
const addresses = (zone: Zone, name: string) => {
  const found = zone.find(name);
  return found.kind === 'addresses' ? found.addresses : found.kind;
};

describe('names come and go', () => {
  it('gives a member its name and the group every address', () => {
    const zone = new Zone(DOMAIN);
    expect(zone.set(owner('i-0'), [own('compute-0', '127.4.0.10'), group('127.4.0.10')])).toEqual([]);
    expect(zone.set(owner('i-1'), [own('compute-1', '127.4.0.11'), group('127.4.0.11')])).toEqual([]);
    expect(addresses(zone, `compute-1.1kpqzg2c.${DOMAIN}`)).toEqual(['127.4.0.11']);
    expect(addresses(zone, GROUP)).toEqual(['127.4.0.10', '127.4.0.11']);
    zone.remove('i-0');
    expect(addresses(zone, `compute-0.1kpqzg2c.${DOMAIN}`)).toBe('no-name');
    expect(addresses(zone, GROUP)).toEqual(['127.4.0.11']);
    zone.remove('i-1');
    expect(addresses(zone, GROUP)).toBe('no-name');
    expect(zone.size).toBe(0);
  });

  it('takes names away that an owner has no more, and follows a new address', () => {
    const zone = new Zone(DOMAIN);
    zone.set(owner('i-0'), [own('a', '127.0.0.2'), own('b', '127.0.0.2')]);
    zone.set(owner('i-0'), [own('b', '127.0.0.3')]);
    expect(addresses(zone, `a.1kpqzg2c.${DOMAIN}`)).toBe('no-name');
    expect(addresses(zone, `b.1kpqzg2c.${DOMAIN}`)).toEqual(['127.0.0.3']);
    zone.set(owner('i-0'), []);
    expect(zone.size).toBe(0);
  });

  it('knows that a name above another one exists', () => {
    const zone = new Zone(DOMAIN);
    expect(zone.find(DOMAIN).kind).toBe('no-data');
    expect(zone.find(`1kpqzg2c.${DOMAIN}`).kind).toBe('no-name');
    zone.set(owner('i-0'), [own('a', '127.0.0.2')]);
    zone.set(owner('i-1'), [own('b', '127.0.0.3')]);
    zone.remove('i-0');
    expect(zone.find(`1kpqzg2c.${DOMAIN}`).kind).toBe('no-data');
    zone.remove('i-1');
    expect(zone.find(`1kpqzg2c.${DOMAIN}`).kind).toBe('no-name');
  });

  it('has another serial after a change, and the same after none', () => {
    const zone = new Zone(DOMAIN);
    zone.set(owner('i-0'), [own('a', '127.0.0.2')]);
    const { serial } = zone;
    zone.set(owner('i-0'), [own('a', '127.0.0.2')]);
    zone.remove('i-never');
    expect(zone.serial).toBe(serial);
    zone.remove('i-0');
    expect(zone.serial).not.toBe(serial);
    zone.serial = 0xffffffff;
    zone.set(owner('i-0'), [own('a', '127.0.0.2')]);
    expect(zone.serial).toBe(1);
  });

  it('refuses what is no name of the zone and what is no address', () => {
    const zone = new Zone(DOMAIN);
    for (const name of [DOMAIN, 'a.example.org', `A.${DOMAIN}`, `a..${DOMAIN}`, `xspore.host`, `a_b.${DOMAIN}`])
      expect(() => zone.set(owner('i-0'), [{ name, address: '127.0.0.1', shared: false }])).toThrow(name);
    expect(() => zone.set(owner('i-0'), [own('a', '::1')])).toThrow('::1 of a.1kpqzg2c.spore.host is no IPv4 address');
    expect(zone.size).toBe(0);
  });
});

describe('who may have a name', () => {
  it('keeps the record of the new machine when the old one is taken away late', () => {
    const zone = new Zone(DOMAIN);
    zone.set(owner('i-old'), [own('compute-5', '127.4.0.5')]);
    zone.set(owner('i-new', undefined, 2), [own('compute-5', '127.4.0.9')]);
    expect(addresses(zone, `compute-5.1kpqzg2c.${DOMAIN}`)).toEqual(['127.4.0.9']);
    zone.remove('i-old');
    expect(addresses(zone, `compute-5.1kpqzg2c.${DOMAIN}`)).toEqual(['127.4.0.9']);
  });

  it('does not let a late word of the old machine take the name back', () => {
    const zone = new Zone(DOMAIN);
    zone.set(owner('i-new', undefined, 2), [own('compute-5', '127.4.0.9')]);
    expect(zone.set(owner('i-old'), [own('compute-5', '127.4.0.5')])).toEqual([`compute-5.1kpqzg2c.${DOMAIN}`]);
    expect(addresses(zone, `compute-5.1kpqzg2c.${DOMAIN}`)).toEqual(['127.4.0.9']);
  });

  it('keeps a name from another array until it is free, a group as well', () => {
    const zone = new Zone(DOMAIN);
    zone.set(owner('i-0'), [own('x', '127.0.0.2'), group('127.0.0.2')]);
    const taken = zone.set(owner('j-0', 'other'), [own('x', '127.0.0.66'), group('127.0.0.66')]);
    expect(taken).toEqual([`x.1kpqzg2c.${DOMAIN}`, GROUP]);
    expect(addresses(zone, GROUP)).toEqual(['127.0.0.2']);
    zone.remove('i-0');
    expect(addresses(zone, GROUP)).toEqual(['127.0.0.66']);
    expect(addresses(zone, `x.1kpqzg2c.${DOMAIN}`)).toEqual(['127.0.0.66']);
  });

  it('does not mix a name of one with a name of a group', () => {
    const zone = new Zone(DOMAIN);
    zone.set(owner('i-0'), [group('127.0.0.2')]);
    expect(zone.set(owner('i-1'), [own('compute', '127.0.0.3')])).toEqual([GROUP]);
    expect(addresses(zone, GROUP)).toEqual(['127.0.0.2']);
  });
});

describe('against a plain model', () => {
  const command = fc.oneof(
    fc.record({
      kind: fc.constant('set' as const),
      id: fc.integer({ min: 0, max: 5 }),
      labels: fc.uniqueArray(fc.constantFrom('a', 'b', 'c.d', 'd'), { maxLength: 3 }),
      shared: fc.boolean(),
      address: fc.integer({ min: 1, max: 3 }),
    }),
    fc.record({ kind: fc.constant('remove' as const), id: fc.integer({ min: 0, max: 5 }) }),
  );

  it('has what those have who are there, the first array before others', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
        const zone = new Zone(DOMAIN);
        // In the order in which they first had each name.
        const wants: { id: number; name: string; address: string; shared: boolean }[] = [];
        for (const step of commands) {
          const names = step.kind === 'set' ? step.labels.map((label) => `${label}.${DOMAIN}`) : [];
          for (let at = wants.length - 1; at >= 0; at--)
            if (wants[at]!.id === step.id && !names.includes(wants[at]!.name)) wants.splice(at, 1);
          if (step.kind === 'remove') zone.remove(String(step.id));
          else {
            const address = `127.0.0.${step.address}`;
            for (const name of names) {
              const had = wants.find((want) => want.id === step.id && want.name === name);
              if (had === undefined) wants.push({ id: step.id, name, address, shared: step.shared });
              else Object.assign(had, { address, shared: step.shared });
            }
            // Owners 0 to 2 are machines of one array, 3 to 5 of another; a higher number is a later machine.
            const by = owner(String(step.id), step.id < 3 ? 'first' : 'second', step.id);
            zone.set(
              by,
              names.map((name) => ({ name, address, shared: step.shared })),
            );
          }
          for (const name of ['a', 'b', 'c.d', 'd'].map((label) => `${label}.${DOMAIN}`)) {
            const all = wants.filter((want) => want.name === name);
            const [first] = all;
            const same = all.filter((want) => want.id < 3 === first!.id < 3 && want.shared === first!.shared);
            const latest = [...same].sort((a, b) => b.id - a.id)[0];
            const below = wants.some((want) => want.name.endsWith(`.${name}`));
            if (first === undefined) expect(addresses(zone, name)).toBe(below ? 'no-data' : 'no-name');
            else if (!first.shared) expect(addresses(zone, name)).toEqual([latest!.address]);
            else expect(addresses(zone, name)).toEqual([...new Set(same.map((want) => want.address))]);
          }
          expect(zone.find(`x.${DOMAIN}`).kind).toBe('no-name');
        }
      }),
      { numRuns: 300 },
    );
  });
});
