import { visible } from '../core/error-text.ts';
import { SpawnError } from '../core/errors.ts';
import type { Charset } from './encoding.ts';
import { decode } from './encoding.ts';
import { LF } from './records/lines.ts';
import type { OpenSource } from './source.ts';

/** A place as people look for it: both from 1. */
export interface LinePlace {
  readonly line: number;
  /** In characters. */
  readonly column: number;
}

/** Bytes of a line before a place that are looked at for its column. */
const MOST_LINE_BYTES = 1024 * 1024;

/**
 * Counts lines only when somebody asks, by reading the source again: so that nobody counts them while all is well. Places that
 * rise cost one reading in all.
 */
export class LineFinder {
  readonly #source: OpenSource;
  readonly #charset: Charset;
  readonly #lineEnd: number;
  #at: number;
  #line = 1;
  #lineStart: number;

  constructor(source: OpenSource, charset: Charset, lineEnd = LF) {
    this.#source = source;
    this.#charset = charset;
    this.#lineEnd = lineEnd;
    this.#at = charset.bom;
    this.#lineStart = charset.bom;
  }

  /** The line and column of the byte at a place. */
  async find(place: number, signal: AbortSignal): Promise<LinePlace> {
    if (place < this.#at) {
      this.#at = this.#charset.bom;
      this.#line = 1;
      this.#lineStart = this.#at;
    }
    if (place > this.#at) for await (const chunk of this.#source.read(this.#at, place, signal)) this.#count(chunk);
    return { line: this.#line, column: await this.#column(place, signal) };
  }

  #count(chunk: Uint8Array): void {
    const { unit, encoding } = this.#charset;
    // The byte of the line end in its unit, and whether the rest of the unit is 0.
    const inUnit = encoding === 'utf-16be' ? 1 : 0;
    for (let at = chunk.indexOf(this.#lineEnd); at >= 0; at = chunk.indexOf(this.#lineEnd, at + 1)) {
      if (unit === 2 && !this.#isUnit(chunk, at, inUnit)) continue;
      this.#line++;
      this.#lineStart = this.#at + at + unit - inUnit;
    }
    this.#at += chunk.length;
  }

  #isUnit(chunk: Uint8Array, at: number, inUnit: number): boolean {
    if ((this.#at + at - this.#charset.bom) % 2 !== inUnit) return false;
    return (chunk[inUnit === 1 ? at - 1 : at + 1] ?? 0) === 0;
  }

  async #column(place: number, signal: AbortSignal): Promise<number> {
    const from = Math.max(this.#lineStart, place - MOST_LINE_BYTES);
    if (place <= from) return 1;
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.#source.read(from, place, signal)) chunks.push(chunk.slice());
    const bytes = Buffer.concat(chunks);
    if (this.#charset.encoding === 'utf-16be' && bytes.length % 2 === 0) bytes.swap16();
    return [...decode(bytes, this.#charset.encoding, 0, bytes.length)].length + 1;
  }
}

/** Data that is not what its input says. What comes from the data does not steer a terminal. */
export function badInput(where: string, expected: string, found: string, more?: string): SpawnError {
  const words = { where: visible(where), expected: visible(expected), found: visible(found) };
  return new SpawnError('BAD_INPUT', { ...words, ...(more === undefined ? {} : { more: visible(more) }) });
}

/** The same with its place in the source, which is found now. */
export async function badRecord(
  finder: LineFinder,
  uri: string,
  place: number,
  expected: string,
  found: string,
  signal: AbortSignal,
): Promise<SpawnError> {
  const { line, column } = await finder.find(place, signal);
  return badInput(`${uri}:${line}:${column}`, expected, found).with({ uri, byte: place, line, column });
}
