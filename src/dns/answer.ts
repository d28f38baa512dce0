import { type Answer, encode, type OptAnswer } from 'dns-packet';
import { AnswerCache, type Made } from './answer-cache.ts';
import { type Query, readQuery, type Unread } from './query.ts';
import type { Zone } from './zone.ts';

/** Of every record, seconds. */
const TTL_S = 60;
/** For how long a name may be taken not to exist, seconds: a member's name comes soon after somebody looks for it. */
const NEGATIVE_TTL_S = 5;
/** What a message over UDP may have when the asker says nothing of it (RFC 1035, 4.2.1), and at most, bytes. */
const PLAIN_UDP = 512;
const MOST_UDP = 4_096;
/** Of a message over TCP: its length is two bytes. */
const MOST_TCP = 65_535;

const HEADER = 12;
const TYPE = { A: 1, NS: 2, SOA: 6, ANY: 255 } as const;
const CLASS_IN = 1;
const CLASS_ANY = 255;
/** IXFR, AXFR and what is older: the zone is not given away as a whole. */
const TRANSFERS = [251, 252, 253, 254];

const NXDOMAIN = 3;
const REFUSED = 5;
const BADVERS = 16;
const RESPONSE = 0x8000;
const AUTHORITATIVE = 0x0400;
const TRUNCATED = 0x0200;
const RECURSION_DESIRED = 0x0100;

/** Bytes of one A record whose name is a pointer to the question. */
const A_LENGTH = 16;

/** Records of one length, one after another. */
interface Records {
  readonly bytes: Uint8Array;
  readonly each: number;
}

interface Sections {
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly answers?: readonly Records[];
  readonly authority?: Uint8Array;
  /** In how many orders the records are given, in turn; default 1. */
  readonly orders?: number;
}

/** Answers for one zone: bytes to bytes. */
export class Answerer {
  readonly #zone: Zone;
  readonly #self: string;
  readonly #selfName: string;
  readonly #records = new WeakMap<readonly string[], Uint8Array>();
  readonly #cached = { udp: new AnswerCache(), tcp: new AnswerCache() };
  #soa: { readonly serial: number; readonly bytes: Uint8Array } | undefined;

  /** @param address where it listens: what the name of the server, `ns.{domain}`, has */
  constructor(zone: Zone, address: string) {
    this.#zone = zone;
    this.#self = address;
    this.#selfName = `ns.${zone.domain}`;
  }

  /** The response to a query, or undefined when there must be none. */
  answer(bytes: Uint8Array, over: 'udp' | 'tcp'): Uint8Array | undefined {
    const query = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return this.#cached[over].answer(query, this.#zone.serial, () => this.#make(query, over));
  }

  #make(bytes: Buffer, over: 'udp' | 'tcp'): Made | undefined {
    const query = readQuery(bytes);
    if (query === undefined) return undefined;
    if ('rcode' in query) return { response: refusal(query), orders: 1 };
    const payload = Math.min(MOST_UDP, Math.max(PLAIN_UDP, query.edns?.payload ?? PLAIN_UDP));
    const sections = this.#sections(query);
    return { response: assemble(query, sections, over === 'tcp' ? MOST_TCP : payload), orders: sections.orders ?? 1 };
  }

  #sections(query: Query): Sections {
    if (query.edns !== undefined && query.edns.version > 0) return { rcode: BADVERS, authoritative: false };
    const { domain } = this.#zone;
    const inside = query.name === domain || query.name.endsWith(`.${domain}`);
    const ofInternet = query.class === CLASS_IN || query.class === CLASS_ANY;
    if (!inside || !ofInternet || TRANSFERS.includes(query.type)) return { rcode: REFUSED, authoritative: false };
    const answers = this.#answers(query);
    if (answers === undefined) return { rcode: NXDOMAIN, authoritative: true, authority: this.#start() };
    if (answers.length === 0) return { rcode: 0, authoritative: true, authority: this.#start() };
    const orders = answers.reduce((sum, { bytes, each }) => sum + bytes.length / each, 0);
    return { rcode: 0, authoritative: true, answers, orders: query.name === domain ? 1 : orders };
  }

  /** Records of the type at the name; none: it exists without them; undefined: it does not exist. */
  #answers({ name, type }: Query): readonly Records[] | undefined {
    const any = type === TYPE.ANY;
    if (name === this.#selfName) return any || type === TYPE.A ? [{ bytes: aRecord(this.#self), each: A_LENGTH }] : [];
    const found = this.#zone.find(name);
    if (found.kind === 'no-name') return undefined;
    if (found.kind === 'addresses') return any || type === TYPE.A ? this.#rotated(found.addresses, found.turn) : [];
    if (name !== this.#zone.domain) return [];
    return [
      ...(any || type === TYPE.SOA ? [alone(this.#start())] : []),
      ...(any || type === TYPE.NS ? [alone(record({ type: 'NS', name, ttl: TTL_S, data: this.#selfName }))] : []),
    ];
  }

  /** All addresses, another one first each time. */
  #rotated(addresses: readonly string[], turn: number): readonly Records[] {
    let records = this.#records.get(addresses);
    if (records === undefined) {
      records = Buffer.concat(addresses.map(aRecord));
      this.#records.set(addresses, records);
    }
    const at = (turn % addresses.length) * A_LENGTH;
    const parts = at === 0 ? [records] : [records.subarray(at), records.subarray(0, at)];
    return parts.map((bytes) => ({ bytes, each: A_LENGTH }));
  }

  /** The SOA record, whose name is written out because it is not always that of the question. */
  #start(): Uint8Array {
    const { serial, domain } = this.#zone;
    if (this.#soa?.serial === serial) return this.#soa.bytes;
    const data = {
      mname: this.#selfName,
      rname: `hostmaster.${domain}`,
      serial,
      refresh: 60,
      retry: 60,
      expire: 3_600,
      minimum: NEGATIVE_TTL_S,
    };
    const bytes = record({ type: 'SOA', name: domain, ttl: NEGATIVE_TTL_S, data });
    this.#soa = { serial, bytes };
    return bytes;
  }
}

/** One record on the wire. */
function record(answer: Answer): Uint8Array {
  return encode({ type: 'response', answers: [answer] }).subarray(HEADER);
}

/** An A record of the name that was asked for: a thousand of them with their names written out would not fit into one message. */
function aRecord(address: string): Uint8Array {
  const bytes = Buffer.alloc(A_LENGTH);
  bytes.writeUInt16BE(0xc000 | HEADER, 0);
  bytes.writeUInt16BE(TYPE.A, 2);
  bytes.writeUInt16BE(CLASS_IN, 4);
  bytes.writeUInt32BE(TTL_S, 6);
  bytes.writeUInt16BE(4, 10);
  bytes.set(address.split('.').map(Number), 12);
  return bytes;
}

function optRecord({ wantsDnssec }: NonNullable<Query['edns']>, rcode: number): Uint8Array {
  const opt = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: MOST_UDP,
    extendedRcode: rcode >> 4,
    ednsVersion: 0,
    flags: wantsDnssec ? 0x8000 : 0,
    flag_do: wantsDnssec,
    options: [],
  } satisfies OptAnswer;
  return encode({ type: 'response', additionals: [opt] }).subarray(HEADER);
}

function alone(bytes: Uint8Array): Records {
  return { bytes, each: bytes.length };
}

/** Header, question and sections. What is too long loses records from its end and says so (RFC 2181, 9: ask again over TCP). */
function assemble(query: Query, { rcode, authoritative, answers = [], authority }: Sections, most: number): Uint8Array {
  const opt = query.edns === undefined ? undefined : optRecord(query.edns, rcode);
  let room = most - HEADER - query.question.length - (opt?.length ?? 0);
  let truncated = false;
  const parts: Uint8Array[] = [];
  let count = 0;
  const take = ({ bytes, each }: Records): number => {
    const fitting = truncated ? 0 : Math.min(bytes.length, Math.floor(room / each) * each);
    truncated ||= fitting < bytes.length;
    room -= fitting;
    parts.push(bytes.subarray(0, fitting));
    return fitting / each;
  };
  for (const records of answers) count += take(records);
  const authorities = authority === undefined ? 0 : take(alone(authority));
  const flags =
    (authoritative ? AUTHORITATIVE : 0) |
    (truncated ? TRUNCATED : 0) |
    (query.recursionDesired ? RECURSION_DESIRED : 0);
  const header = headerOf(query.id, flags | (rcode & 0xf), [1, count, authorities, opt === undefined ? 0 : 1]);
  return Buffer.concat(
    opt === undefined ? [header, query.question, ...parts] : [header, query.question, ...parts, opt],
  );
}

/** Without the question, which may be what could not be read. */
function refusal({ id, opcode, recursionDesired, rcode }: Unread): Uint8Array {
  const flags = (opcode << 11) | (recursionDesired ? RECURSION_DESIRED : 0) | rcode;
  return headerOf(id, flags, [0, 0, 0, 0]);
}

function headerOf(id: number, flags: number, counts: readonly number[]): Uint8Array {
  const header = Buffer.alloc(HEADER);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(RESPONSE | flags, 2);
  counts.forEach((count, at) => {
    header.writeUInt16BE(count, 4 + 2 * at);
  });
  return header;
}
