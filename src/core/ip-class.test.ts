import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isInRange, parseIp, parseIpRange, unmapped, whyNotPublic } from './ip-class.ts';

const why = (text: string) => whyNotPublic(parseIp(text)!);
const v4 = fc.tuple(
  ...([0, 1, 2, 3].map(() => fc.nat({ max: 255 })) as [
    fc.Arbitrary<number>,
    fc.Arbitrary<number>,
    fc.Arbitrary<number>,
    fc.Arbitrary<number>,
  ]),
);
const v6 = fc.array(fc.nat({ max: 255 }), { minLength: 16, maxLength: 16 });
const textOfV6 = (bytes: readonly number[]) =>
  Array.from({ length: 8 }, (_, at) => ((bytes[2 * at]! << 8) | bytes[2 * at + 1]!).toString(16)).join(':');

describe('addresses', () => {
  test('are read back as they were written', () => {
    fc.assert(fc.property(v4, (bytes) => void expect(parseIp(bytes.join('.'))).toEqual(bytes)));
    fc.assert(fc.property(v6, (bytes) => void expect(parseIp(textOfV6(bytes))).toEqual(bytes)));
    fc.assert(fc.property(fc.ipV6(), (text) => void expect(parseIp(text)).toHaveLength(16)));
  });

  test('zeros may be left out, and the end may be one of IPv4', () => {
    expect(parseIp('::')).toEqual(Array(16).fill(0));
    expect(parseIp('1::')).toEqual([0, 1, ...Array(14).fill(0)]);
    expect(parseIp('::ffff:10.0.0.1')).toEqual([...Array(10).fill(0), 255, 255, 10, 0, 0, 1]);
    expect(parseIp('2001:DB8::A')).toEqual([0x20, 1, 0xd, 0xb8, ...Array(11).fill(0), 10]);
  });

  test.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '256.1.1.1',
    '0x7f.0.0.1',
    '127.1',
    ' 1.2.3.4',
    'a.b.c.d',
    '1:2:3:4:5:6:7',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7:8:9',
    '::1.2.3',
    '1.2.3.4::',
    '::12345',
    '::g',
    'fe80::1%eth0',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7:8',
  ])('%j is none', (text) => {
    expect(parseIp(text)).toBeUndefined();
  });
});

describe('ranges', () => {
  test.each(['', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/08', '10.0.0.0/8/8', 'x/8', '::/129', '10.0.0.0/-1'])(
    '%j is none',
    (text) => {
      expect(parseIpRange(text)).toBeUndefined();
    },
  );

  test('hold what begins with their bits, as a number of 32 bits says it', () => {
    const value = (bytes: readonly number[]) => bytes.reduce((sum, byte) => sum * 256 + byte, 0);
    fc.assert(
      fc.property(v4, fc.nat({ max: 32 }), v4, fc.boolean(), (base, bits, other, near) => {
        const address = near ? base.map((byte, at) => (at === 3 ? other[3] : byte)) : other;
        const range = parseIpRange(`${base.join('.')}/${bits}`)!;
        const size = 2 ** (32 - bits);
        expect(isInRange(range, address)).toBe(Math.floor(value(base) / size) === Math.floor(value(address) / size));
      }),
    );
    expect(isInRange(parseIpRange('0.0.0.0/0')!, parseIp('::')!)).toBe(false);
    expect(isInRange(parseIpRange('::1')!, parseIp('::1')!)).toBe(true);
  });
});

describe('what is not public', () => {
  test.each([
    ['0.0.0.0', 'this network'],
    ['10.255.255.255', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['172.32.0.0', undefined],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'shared by carriers'],
    ['100.128.0.0', undefined],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['169.254.169.254', 'link-local'],
    ['192.0.0.192', 'reserved'],
    ['198.19.255.255', 'for benchmarks'],
    ['203.0.113.9', 'for documentation'],
    ['224.0.0.251', 'multicast'],
    ['255.255.255.255', 'reserved'],
    ['8.8.8.8', undefined],
    ['93.184.216.34', undefined],
    ['::', 'this network'],
    ['::1', 'loopback'],
    ['::2', 'this network'],
    ['fe80::1', 'link-local'],
    ['fd00:ec2::254', 'private'],
    ['fec0::1', 'private'],
    ['ff02::1', 'multicast'],
    ['2001:db8::1', 'for documentation'],
    ['2001::1', 'reserved'],
    ['100::1', 'reserved'],
    ['4000::1', 'reserved'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:8.8.8.8', 'IPv4 within IPv6'],
    ['::ffff:0:10.0.0.1', 'private'],
    ['::169.254.169.254', 'link-local'],
    ['64:ff9b::a9fe:a9fe', 'link-local'],
    ['64:ff9b:1::7f00:1', 'loopback'],
    ['2002:7f00:1::', 'loopback'],
    ['2002:808:808::1', 'IPv4 within IPv6'],
    ['2606:2800:220:1:248:1893:25c8:1946', undefined],
  ])('%s: %s', (text, expected) => {
    expect(why(text)).toBe(expected);
  });

  test('no address of IPv4 is public because it is written as one of IPv6', () => {
    const prefixes = [Array(12).fill(0), [...Array(10).fill(0), 255, 255], [0, 0x64, 0xff, 0x9b, ...Array(8).fill(0)]];
    fc.assert(
      fc.property(v4, fc.constantFrom(...prefixes), (bytes, prefix) => {
        expect(whyNotPublic([...prefix, ...bytes])).toBeDefined();
        expect(whyNotPublic([0x20, 0x02, ...bytes, ...Array(10).fill(0)])).toBeDefined();
      }),
    );
  });

  test('public ones of IPv6 begin with 001', () => {
    fc.assert(
      fc.property(v6, (bytes) => {
        if (whyNotPublic(bytes) === undefined) expect(bytes[0]! >> 5).toBe(1);
      }),
    );
  });

  test('of IPv4 as many are public as the registries say', () => {
    let open = 0;
    for (let first = 0; first < 256; first++) if (whyNotPublic([first, 200, 7, 7]) === undefined) open++;
    // All but 0, 10, 127 and 224 to 255.
    expect(open).toBe(256 - 3 - 32);
  });
});

test('an IPv4-mapped address is that of IPv4', () => {
  expect(unmapped(parseIp('::ffff:10.1.2.3')!)).toEqual([10, 1, 2, 3]);
  expect(unmapped(parseIp('10.1.2.3')!)).toEqual([10, 1, 2, 3]);
  expect(unmapped(parseIp('::1')!)).toEqual(parseIp('::1'));
});
