import { decode } from 'dns-packet';

/** A question as it was read. */
export interface Query {
  /** Id, flags and question as they came: an answer repeats the question byte by byte, with the case of its letters. */
  readonly id: number;
  readonly recursionDesired: boolean;
  readonly question: Uint8Array;
  /** Lower case, no dot at its end; '' is the root. A name whose labels hold odd bytes is none that we have. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
  /** What the asker says of EDNS (RFC 6891); undefined: it does not know it. */
  readonly edns: { readonly payload: number; readonly version: number; readonly wantsDnssec: boolean } | undefined;
}

/** What cannot be answered as a question: the rcode to tell, with the id; undefined: nothing is to be said. */
export type Unread = {
  readonly rcode: number;
  readonly id: number;
  readonly opcode: number;
  readonly recursionDesired: boolean;
};

const FORMERR = 1;
const NOTIMP = 4;
const HEADER = 12;
/** Of a name on the wire (RFC 1035, 2.3.4). */
const MAX_NAME = 255;
/** One for EDNS, and what signs a query. */
const MAX_ADDITIONAL = 2;

/** Reads one query. Undefined for what must not be answered: responses (two servers would answer each other) and what has no header. */
export function readQuery(bytes: Uint8Array): Query | Unread | undefined {
  if (bytes.length < HEADER) return undefined;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const id = buffer.readUInt16BE(0);
  const flags = buffer.readUInt16BE(2);
  if (flags & 0x8000) return undefined;
  const opcode = (flags >> 11) & 0xf;
  const recursionDesired = (flags & 0x100) !== 0;
  const unread = (rcode: number): Unread => ({ rcode, id, opcode, recursionDesired });
  if (opcode !== 0) return unread(NOTIMP);
  const counts = [4, 6, 8, 10].map((at) => buffer.readUInt16BE(at));
  // Checked before the library reads them, because it makes room for as many as are announced.
  if (counts[0] !== 1 || counts[1]! > 0 || counts[2]! > 1 || counts[3]! > MAX_ADDITIONAL) return unread(FORMERR);
  const asked = readQuestion(buffer);
  if (asked === undefined) return unread(FORMERR);
  const options = counts[3] === 0 ? [] : optionsOf(buffer);
  if (options === undefined || options.length > 1) return unread(FORMERR);
  return { id, recursionDesired, ...asked, edns: options[0] };
}

/** The one question, which stands right behind the header and so cannot point anywhere. */
function readQuestion(buffer: Buffer): Pick<Query, 'question' | 'name' | 'type' | 'class'> | undefined {
  let at = HEADER;
  const labels: string[] = [];
  let odd = false;
  for (;;) {
    const length = buffer[at];
    if (length === undefined || length > 63 || at + length - HEADER >= MAX_NAME) return undefined;
    at += 1;
    if (length === 0) break;
    const label = buffer.toString('latin1', at, at + length);
    if (label.length < length) return undefined;
    odd ||= !/^[\w-]+$/.test(label);
    labels.push(label.toLowerCase());
    at += length;
  }
  if (at + 4 > buffer.length) return undefined;
  // A dot or a letter beyond ASCII inside a label would be taken for another name; the end of the name, which tells the zone, is kept.
  const name = odd ? labels.map((label) => (/^[\w-]+$/.test(label) ? label : '\\')).join('.') : labels.join('.');
  return {
    question: buffer.subarray(HEADER, at + 4),
    name,
    type: buffer.readUInt16BE(at),
    class: buffer.readUInt16BE(at + 2),
  };
}

/** EDNS records of the query: at most one is allowed. Undefined: it cannot be read. */
function optionsOf(buffer: Buffer): Query['edns'][] | undefined {
  try {
    const { additionals = [] } = decode(buffer);
    return additionals.flatMap((record) => {
      if (record.type !== 'OPT') return [];
      if (record.name !== '.') throw new RangeError('EDNS at a name');
      return [
        { payload: record.udpPayloadSize, version: record.ednsVersion, wantsDnssec: (record.flags & 0x8000) !== 0 },
      ];
    });
  } catch {
    return undefined;
  }
}
