import type { Charset } from '../encoding.ts';
import { LF } from '../records/lines.ts';
import type { OpenSource } from '../source.ts';
import type { Target } from './cutters.ts';
import type { PartBuilder } from './part-builder.ts';

/** Bytes that are read to find a line end; most lines are shorter. */
const LOOK_BYTES = 16 * 1024;

/** Where lines are found without reading what is between. */
export interface SeekScan {
  readonly open: OpenSource;
  readonly charset: Charset;
  readonly lineEnd: number;
  readonly from: number;
  readonly target: Target;
  /** Lines of spaces are no records: a part begins behind them. */
  readonly skipsBlank: boolean;
  readonly signal: AbortSignal;
}

/** Cuts a source at the line borders nearest behind the targets; the lines themselves are not looked at. */
export async function seekBorders(
  work: SeekScan,
  part: PartBuilder,
  onRead: (bytes: number) => Promise<void>,
): Promise<void> {
  const { from, target } = work;
  const { size } = work.open.source;
  let begins = from;
  while (begins < size) {
    const wanted = target(begins, from, size);
    const border = wanted >= size ? size : await findBorder(work, wanted);
    part.extend(border, undefined);
    if (border < size) part.close();
    await onRead(border - begins);
    begins = border;
  }
}

/** Behind the first line end of which the last byte is at `wanted` - 1 or later; the size when there is no record behind it. */
async function findBorder(work: SeekScan, wanted: number): Promise<number> {
  const { size } = work.open.source;
  const { unit, bom } = work.charset;
  // The first unit that may be the line end.
  let at = bom + Math.max(0, Math.ceil((wanted - unit - bom) / unit) * unit);
  let isFound = false;
  for (let look = LOOK_BYTES; at < size; look = Math.min(look * 2, 1024 * 1024)) {
    const bytes = await read(work, at, Math.min(size, at + look));
    let behind = 0;
    if (!isFound) {
      behind = behindLineEnd(bytes, work.lineEnd, work.charset);
      if (behind < 0) {
        at += bytes.length;
        continue;
      }
      if (!work.skipsBlank) return at + behind;
      isFound = true;
    }
    const record = firstNotBlank(bytes, behind);
    if (record >= 0) return at + record - (record % unit);
    at += bytes.length;
  }
  return size;
}

async function read({ open, signal }: SeekScan, from: number, to: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of open.read(from, to, signal)) chunks.push(chunk);
  return chunks.length === 1 ? Buffer.from(chunks[0]!.buffer, chunks[0]!.byteOffset, to - from) : Buffer.concat(chunks);
}

/** -1: none. */
function behindLineEnd(bytes: Buffer, lineEnd: number, { unit, encoding }: Charset): number {
  if (unit === 1) {
    const at = bytes.indexOf(lineEnd);
    return at < 0 ? -1 : at + 1;
  }
  const [low, high] = encoding === 'utf-16le' ? [0, 1] : [1, 0];
  for (let at = bytes.indexOf(lineEnd); at >= 0; at = bytes.indexOf(lineEnd, at + 1))
    if (at % 2 === low && bytes[at - low + high] === 0) return at - low + 2;
  return -1;
}

/** JSON's spaces; in units of two bytes the other one is 0. */
function firstNotBlank(bytes: Buffer, from: number): number {
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte !== LF && byte !== 0x0d && byte !== 0x20 && byte !== 0x09 && byte !== 0) return at;
  }
  return -1;
}
