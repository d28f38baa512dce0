import { decode, encode, type Packet, RECURSION_DESIRED } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Answerer } from './answer.ts';
import { Zone } from './zone.ts';

const DOMAIN = 'spore.host';

function zoneOf(members: number, label = 'compute'): Zone {
  const zone = new Zone(DOMAIN);
  for (let index = 0; index < members; index++) {
    const address = `127.4.${index >> 8}.${index & 255}`;
    zone.set({ id: `i-${index}`, arrayId: 'a', generation: 1 }, [
      { name: `${label}-${index}.acct.${DOMAIN}`, address, shared: false },
      { name: `${label}.acct.${DOMAIN}`, address, shared: true },
    ]);
  }
  return zone;
}

interface Asked {
  readonly name: string;
  readonly type?: string;
  readonly class?: string;
  readonly payload?: number;
  readonly version?: number;
  readonly over?: 'udp' | 'tcp';
}

function ask(zone: Zone, { name, type = 'A', class: ofClass = 'IN', payload, version = 0, over = 'udp' }: Asked) {
  const query = encode({
    type: 'query',
    id: 4711,
    flags: RECURSION_DESIRED,
    questions: [{ name, type, class: ofClass }] as Packet['questions'],
    additionals:
      payload === undefined
        ? []
        : [
            {
              type: 'OPT',
              name: '.',
              udpPayloadSize: payload,
              extendedRcode: 0,
              ednsVersion: version,
              flags: 0x8000,
              flag_do: true,
              options: [],
            },
          ],
  });
  const bytes = new Answerer(zone, '127.0.53.1').answer(query, over)!;
  return { bytes, ...decode(Buffer.from(bytes)) };
}

describe('an answer', () => {
  it('has the address of a member, with authority and 60 seconds', () => {
    const found = ask(zoneOf(3), { name: `compute-1.acct.${DOMAIN}` });
    expect(found).toMatchObject({
      id: 4711,
      type: 'response',
      rcode: 'NOERROR',
      flag_aa: true,
      flag_rd: true,
      flag_ra: false,
      flag_tc: false,
    });
    expect(found.answers).toMatchObject([
      { name: `compute-1.acct.${DOMAIN}`, type: 'A', class: 'IN', ttl: 60, data: '127.4.0.1' },
    ]);
    expect(found.additionals).toEqual([]);
  });

  it('has all addresses of the group, another one first each time', () => {
    const zone = zoneOf(3);
    const orders = [1, 2, 3].map(() =>
      ask(zone, { name: `compute.acct.${DOMAIN}` }).answers!.map((record) => 'data' in record && record.data),
    );
    for (const order of orders) expect([...order].sort()).toEqual(['127.4.0.0', '127.4.0.1', '127.4.0.2']);
    expect(new Set(orders.map(([first]) => first)).size).toBe(3);
  });

  it('repeats the letters of the question as they came', () => {
    const found = ask(zoneOf(1), { name: `CoMPute-0.aCCt.SPORE.host` });
    expect(found.questions).toMatchObject([{ name: 'CoMPute-0.aCCt.SPORE.host' }]);
    expect(found.answers).toMatchObject([{ name: 'CoMPute-0.aCCt.SPORE.host', data: '127.4.0.0' }]);
  });

  it.each([
    ['AAAA of a member', `compute-0.acct.${DOMAIN}`, 'AAAA', 'NOERROR'],
    ['TXT of a group', `compute.acct.${DOMAIN}`, 'TXT', 'NOERROR'],
    ['a name that only has names below it', `acct.${DOMAIN}`, 'A', 'NOERROR'],
    ['the domain itself', DOMAIN, 'A', 'NOERROR'],
    ['AAAA of the server', `ns.${DOMAIN}`, 'AAAA', 'NOERROR'],
    ['a name that is not there', `compute-9.acct.${DOMAIN}`, 'A', 'NXDOMAIN'],
    ['below a member', `x.compute-0.acct.${DOMAIN}`, 'A', 'NXDOMAIN'],
    ['another account', `compute-0.other.${DOMAIN}`, 'A', 'NXDOMAIN'],
  ])('of %s has no record and tells for how long', (_, name, type, rcode) => {
    const found = ask(zoneOf(1), { name, type });
    expect(found).toMatchObject({ rcode, flag_aa: true, answers: [] });
    expect(found.authorities).toMatchObject([
      { type: 'SOA', name: DOMAIN, ttl: 5, data: { mname: `ns.${DOMAIN}`, rname: `hostmaster.${DOMAIN}`, minimum: 5 } },
    ]);
  });

  it('tells who serves the domain', () => {
    const zone = zoneOf(1);
    expect(ask(zone, { name: DOMAIN, type: 'SOA' }).answers).toMatchObject([
      { type: 'SOA', data: { serial: zone.serial } },
    ]);
    expect(ask(zone, { name: DOMAIN, type: 'NS' }).answers).toMatchObject([{ type: 'NS', data: `ns.${DOMAIN}` }]);
    expect(ask(zone, { name: `ns.${DOMAIN}` }).answers).toMatchObject([{ type: 'A', data: '127.0.53.1' }]);
    expect(ask(zone, { name: DOMAIN, type: 'ANY' }).answers).toMatchObject([{ type: 'SOA' }, { type: 'NS' }]);
    expect(ask(zone, { name: `compute-0.acct.${DOMAIN}`, type: 'ANY' }).answers).toMatchObject([{ type: 'A' }]);
  });

  it.each([
    ['another domain', 'www.example.org', 'A', 'IN'],
    ['a domain that ends alike', 'xspore.host', 'A', 'IN'],
    ['the root', '.', 'NS', 'IN'],
    ['another class', `compute-0.acct.${DOMAIN}`, 'A', 'CH'],
    ['the whole zone', DOMAIN, 'AXFR', 'IN'],
  ])('refuses %s', (_, name, type, ofClass) => {
    const found = ask(zoneOf(1), { name, type, class: ofClass });
    expect(found).toMatchObject({ rcode: 'REFUSED', flag_aa: false, answers: [], authorities: [] });
  });
});

describe('the length of an answer', () => {
  const name = `compute.acct.${DOMAIN}`;

  it.each([
    [undefined, 512],
    [100, 512],
    [1_232, 1_232],
    [4_096, 4_096],
    [65_535, 4_096],
  ])('keeps to what the asker can take: %s', (payload, most) => {
    const found = ask(zoneOf(1_000), { name, ...(payload === undefined ? {} : { payload }) });
    expect(found.flag_tc).toBe(true);
    expect(found.bytes.length).toBeLessThanOrEqual(most);
    // Not one more would have fitted.
    expect(found.bytes.length).toBeGreaterThan(most - 16);
    expect(found.answers!.length).toBeGreaterThan(10);
    expect(found.additionals!.length).toBe(payload === undefined ? 0 : 1);
  });

  it('is whole over TCP for a thousand members with the longest name', () => {
    const label = 'c'.repeat(58);
    const found = ask(zoneOf(1_000, label), { name: `${label}.acct.${DOMAIN}`, over: 'tcp' });
    expect(found.flag_tc).toBe(false);
    expect(new Set(found.answers!.map((record) => 'data' in record && record.data)).size).toBe(1_000);
  });

  it('is what one message can hold when there are more', () => {
    const found = ask(zoneOf(4_200), { name, over: 'tcp' });
    expect(found.flag_tc).toBe(true);
    expect(found.bytes.length).toBeLessThanOrEqual(65_535);
    expect(found.answers!.length).toBeGreaterThan(4_000);
  });

  it('is kept for a domain so long that no record about it fits', () => {
    const zone = new Zone([...'abc'].map((char) => char.repeat(63)).join('.'));
    const found = decode(
      Buffer.from(
        new Answerer(zone, '127.0.0.1').answer(
          encode({ type: 'query', questions: [{ name: zone.domain, type: 'SOA' }] }),
          'udp',
        )!,
      ),
    );
    expect(found).toMatchObject({ flag_tc: true, answers: [] });
  });
});

describe('EDNS', () => {
  it('is answered with EDNS, and DNSSEC OK comes back as it was', () => {
    const found = ask(zoneOf(1), { name: `compute-0.acct.${DOMAIN}`, payload: 1_232 });
    expect(found.additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 4_096, ednsVersion: 0, flag_do: true }]);
  });

  it('of a version that does not exist yet gets BADVERS', () => {
    const found = ask(zoneOf(1), { name: `compute-0.acct.${DOMAIN}`, payload: 1_232, version: 1 });
    expect(found).toMatchObject({ rcode: 'NOERROR', answers: [] });
    expect(found.additionals).toMatchObject([{ type: 'OPT', extendedRcode: 1 }]);
  });
});

describe('what is no query', () => {
  const answerer = new Answerer(zoneOf(2), '127.0.53.1');
  const good = encode({ type: 'query', id: 7, questions: [{ type: 'A', name: `compute-0.acct.${DOMAIN}` }] });
  const changed = (change: (bytes: Buffer) => void): Uint8Array => {
    const bytes = Buffer.from(good);
    change(bytes);
    return bytes;
  };
  const rcodeOf = (bytes: Uint8Array) => {
    const response = answerer.answer(bytes, 'udp');
    return response === undefined ? 'silence' : response[3]! & 0xf;
  };

  it.each([
    ['nothing', new Uint8Array(0), 'silence'],
    ['less than a header', good.subarray(0, 11), 'silence'],
    ['a response', changed((bytes) => bytes.writeUInt16BE(0x8000, 2)), 'silence'],
    ['an update', changed((bytes) => bytes.writeUInt16BE(0x2800, 2)), 4],
    ['no question', changed((bytes) => bytes.writeUInt16BE(0, 4)), 1],
    ['two questions', changed((bytes) => bytes.writeUInt16BE(2, 4)), 1],
    ['answers', changed((bytes) => bytes.writeUInt16BE(65_535, 6)), 1],
    ['many authorities', changed((bytes) => bytes.writeUInt16BE(65_535, 8)), 1],
    ['many additional records', changed((bytes) => bytes.writeUInt16BE(65_535, 10)), 1],
    ['an additional record that is not there', changed((bytes) => bytes.writeUInt16BE(1, 10)), 1],
    ['a name that is cut', good.subarray(0, 20), 1],
    ['a question without a type', good.subarray(0, good.length - 4), 1],
    ['a pointer in the question', changed((bytes) => bytes.writeUInt16BE(0xc00c, 12)), 1],
    [
      'EDNS twice',
      encode({ type: 'query', questions: [{ type: 'A', name: DOMAIN }], additionals: ['.', '.'].map(opt) }),
      1,
    ],
    ['EDNS at a name', named(), 1],
  ])('%s', (_, bytes, expected) => {
    expect(rcodeOf(bytes)).toBe(expected);
  });

  it('takes a dot inside a label for no dot between labels', () => {
    const label = Buffer.from(`\x0ecompute-0.acct\x05spore\x04host\0\0\x01\0\x01`, 'latin1');
    expect(rcodeOf(Buffer.concat([good.subarray(0, 12), label]))).toBe(3);
  });

  it('takes a name longer than 255 bytes for no name', () => {
    const long = Buffer.concat([
      good.subarray(0, 12),
      ...Array.from({ length: 4 }, () => Buffer.from(`\x3f${'a'.repeat(63)}`)),
      Buffer.alloc(5),
    ]);
    expect(rcodeOf(long)).toBe(1);
  });

  it('never fails on any bytes, and never says more than was asked for', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 600 }),
          // Something like a query, so that the reader gets further.
          fc
            .array(fc.tuple(fc.nat({ max: good.length - 1 }), fc.integer({ min: 0, max: 255 })), { maxLength: 6 })
            .map((changes) =>
              changed((bytes) => {
                for (const [at, byte] of changes) bytes.writeUInt8(byte, at);
              }),
            ),
          fc
            .uint8Array({ maxLength: 200 })
            .map((tail) => Buffer.concat([changed((bytes) => bytes.writeUInt16BE(1, 10)), tail])),
        ),
        (bytes) => {
          const response = answerer.answer(bytes, 'udp');
          if (response === undefined) return;
          expect(response.length).toBeLessThanOrEqual(4_096);
          expect([response[0], response[1]]).toEqual([bytes[0], bytes[1]]);
          expect(response[2]! & 0x80).toBe(0x80);
        },
      ),
      { numRuns: 3_000 },
    );
  });
});

function opt(name: string) {
  return {
    type: 'OPT' as const,
    name,
    udpPayloadSize: 512,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
}

/** A query whose OPT record has a name: the library does not write one, so its root name is replaced. */
function named(): Uint8Array {
  const bytes = encode({ type: 'query', questions: [{ type: 'A', name: DOMAIN }], additionals: [opt('.')] });
  const at = bytes.length - 11;
  return Buffer.concat([bytes.subarray(0, at), Buffer.from([1, 97, 0]), bytes.subarray(at + 1)]);
}
