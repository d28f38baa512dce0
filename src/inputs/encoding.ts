import { isUtf8 } from 'node:buffer';
import type { Encoding } from '../api/data.ts';
import { SpawnError } from '../core/errors.ts';

/** How the characters of a source lie in its bytes. */
export interface Charset {
  readonly encoding: Encoding;
  /** Bytes of a unit: what a line end, a comma or a quote is one of. */
  readonly unit: 1 | 2;
  /** Bytes of the byte order mark at the beginning; no part has it. */
  readonly bom: number;
}

const MARKS: readonly { readonly encoding: Encoding | 'utf-32'; readonly bytes: readonly number[] }[] = [
  { encoding: 'utf-32', bytes: [0xff, 0xfe, 0, 0] },
  { encoding: 'utf-32', bytes: [0, 0, 0xfe, 0xff] },
  { encoding: 'utf-8', bytes: [0xef, 0xbb, 0xbf] },
  { encoding: 'utf-16le', bytes: [0xff, 0xfe] },
  { encoding: 'utf-16be', bytes: [0xfe, 0xff] },
];

/** Bytes of the longest mark. */
export const MOST_MARK_BYTES = 4;

/** The charset of a source by its first bytes: its byte order mark decides; one that contradicts what was said is refused. */
export function charsetOf(uri: string, first: Uint8Array, said: Encoding | undefined): Charset {
  const marks = MARKS.filter(({ bytes }) => bytes.every((byte, at) => first[at] === byte));
  // A text of UTF-16 may begin with a NUL, and then looks like one of UTF-32: what was said tells them apart.
  const mark =
    marks.find(({ encoding }) => encoding === said) ?? (said?.startsWith('utf-16') ? marks.at(-1) : marks[0]);
  if (mark?.encoding === 'utf-32') {
    const expected = said ?? 'utf-8, utf-16le, utf-16be or latin1';
    throw new SpawnError('BAD_INPUT', { where: uri, expected, found: 'the byte order mark of UTF-32' });
  }
  if (mark !== undefined && said !== undefined && said !== mark.encoding) {
    const found = `the byte order mark of ${mark.encoding}`;
    throw new SpawnError('BAD_INPUT', { where: uri, expected: said, found });
  }
  return charset(mark?.encoding ?? said ?? 'utf-8', mark?.bytes.length ?? 0);
}

function charset(encoding: Encoding, bom: number): Charset {
  return { encoding, unit: encoding === 'utf-16le' || encoding === 'utf-16be' ? 2 : 1, bom };
}

/** Characters of bytes in the order of this machine: utf-16be is read after its bytes were swapped. */
export function decode(bytes: Buffer, encoding: Encoding, from: number, to: number): string {
  if (encoding === 'utf-8') return bytes.toString('utf8', from, to);
  return bytes.toString(encoding === 'latin1' ? 'latin1' : 'utf16le', from, to);
}

/** The units of a text, for a search among units; undefined when the encoding has no such characters. */
export function unitsOf(text: string, encoding: Encoding): readonly number[] | undefined {
  if (encoding === 'utf-8') return [...Buffer.from(text)];
  const units = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
  return encoding === 'latin1' && units.some((unit) => unit > 255) ? undefined : units;
}

/** True when whole characters of the encoding fill the bytes. */
export function isValid(bytes: Buffer, encoding: Encoding, from: number, to: number): boolean {
  if (encoding === 'latin1') return true;
  if (encoding === 'utf-8') return isUtf8(bytes.subarray(from, to));
  return (to - from) % 2 === 0 && bytes.toString('utf16le', from, to).isWellFormed();
}

/** What is wrong in bytes that are not valid. */
export interface Invalid {
  /** The first byte that is part of no character. */
  readonly at: number;
  readonly found: string;
}

export function findInvalid(bytes: Buffer, encoding: Encoding, from: number, to: number): Invalid {
  let [good, bad] = [0, to - from];
  // The longest valid beginning by halving: a beginning that ends inside a character is valid without that character.
  while (good < bad) {
    const middle = (good + bad + 1) >> 1;
    if (startsValid(bytes, encoding, from, from + middle)) good = middle;
    else bad = middle - 1;
  }
  const at = characterStart(bytes, encoding, from, from + good);
  if (encoding === 'utf-8' ? from + good >= to : at + 1 >= to) return { at, found: 'the end inside a character' };
  if (encoding === 'utf-8') return { at, found: `the byte 0x${hex(bytes[from + good]!, 2)}` };
  return { at, found: `half a surrogate pair, 0x${hex(bytes.readUInt16LE(at), 4)}` };
}

/** True when only the last character of a piece may be incomplete. */
function startsValid(bytes: Buffer, encoding: Encoding, from: number, to: number): boolean {
  if (encoding !== 'utf-8') return isValid(bytes, encoding, from, wholeUnits(bytes, from, to));
  const start = characterStart(bytes, encoding, from, to);
  return isUtf8(bytes.subarray(from, start)) && canBegin(bytes, start, to);
}

/** Without half a unit and half a pair of surrogates at the end. */
function wholeUnits(bytes: Buffer, from: number, to: number): number {
  const end = to - ((to - from) % 2);
  const high = end > from && (bytes[end - 1]! & 0xfc) === 0xd8;
  return high ? end - 2 : end;
}

/** Where the incomplete character at the end of a valid beginning starts; the end when there is none. */
function characterStart(bytes: Buffer, encoding: Encoding, from: number, end: number): number {
  if (encoding !== 'utf-8') return wholeUnits(bytes, from, end);
  for (let back = 1; back <= 3 && end - back >= from; back++) {
    const byte = bytes[end - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 1;
    return length > back ? end - back : end;
  }
  return end;
}

/** True when a character of UTF-8 can begin with the bytes, of which there are fewer than it has. */
function canBegin(bytes: Buffer, from: number, to: number): boolean {
  if (to <= from) return true;
  const [lead, next] = [bytes[from]!, bytes[from + 1]];
  if (lead > 0xf4) return false;
  if (to - from < 2 || next === undefined) return true;
  const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  return next >= least && next <= most;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
