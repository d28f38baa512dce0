import fc from 'fast-check';
import { expect, test } from 'vitest';
import { zonesOf } from '../../core/zones.ts';
import { addressOf, hash } from './addresses.ts';

test('the zones of this machine are 127.4, 127.5 and 127.6', () => {
  expect(zonesOf('local')).toEqual(['local-a', 'local-b', 'local-c']);
  expect(zonesOf('local').map((zone) => addressOf('local', zone, 0, 0))).toEqual([
    '127.4.0.10',
    '127.5.0.10',
    '127.6.0.10',
  ]);
});

test('a store begins at its own place', () => {
  expect(addressOf('local', 'local-a', 1, 7)).toBe('127.4.7.11');
  expect(addressOf('local', 'local-a', 1, 257)).toBe('127.4.7.11');
});

test('a zone that is full has no address', () => {
  expect(addressOf('local', 'local-a', 65_525, 0)).toBeUndefined();
  expect(addressOf('local', 'local-a', 65_524, 0)).toBe('127.4.255.254');
});

test('every slot of a zone has another address, outside 127.0, and of this machine', () => {
  const labels = fc.constantFrom('local', 'us-east-1', 'eu-west-1', 'x', 'ap-northeast-1');
  fc.assert(
    fc.property(
      labels,
      fc.integer({ min: 0, max: 2 }),
      fc.nat(1_000),
      fc.uniqueArray(fc.nat(65_000)),
      (region, z, salt, slots) => {
        const zone = zonesOf(region)[z]!;
        const addresses = slots.map((slot) => addressOf(region, zone, slot, salt)!);
        expect(new Set(addresses).size).toBe(slots.length);
        for (const address of addresses) {
          const [first, second, ...rest] = address.split('.').map(Number);
          expect(first).toBe(127);
          expect(second).toBeGreaterThanOrEqual(4);
          expect(second).toBeLessThanOrEqual(249);
          expect(rest.every((part) => part >= 0 && part <= 255)).toBe(true);
        }
      },
    ),
  );
});

test('a zone with a name of its own has a range of its region', () => {
  const ranges = zonesOf('us-east-1').map((zone) => addressOf('us-east-1', zone, 0, 0)!.split('.')[1]);
  expect(ranges).toContain(addressOf('us-east-1', 'my-zone', 0, 0)!.split('.')[1]);
});

test('a text has one number', () => {
  expect(hash('')).toBe(0x811c9dc5);
  expect(hash('a')).toBe(0xe40c292c);
});
