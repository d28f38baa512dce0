import { type Charset, charsetOf, MOST_MARK_BYTES } from './encoding.ts';
import type { PlannedSource } from './plan/manifest.ts';
import { columnsOf, type RecordInput, recordText, scanOf } from './record-input.ts';
import { skipSpace } from './records/json-value.ts';
import { CR, LF, lineEndOf } from './records/lines.ts';
import { Found } from './records/scan.ts';
import { badInput, badRecord, LineFinder } from './refuse.ts';
import type { OpenSource } from './source.ts';
import { Window } from './window.ts';

/** What the beginning of a source says. */
export interface Probe {
  readonly row: PlannedSource;
  readonly charset: Charset;
  readonly lineEnd: number;
  /** Where its records begin, behind the byte order mark and the header. */
  readonly from: number;
  /** Of a table with a header. */
  readonly columns?: readonly string[];
  /** Fields of its first record. */
  readonly fields?: number;
  /** There is no record in it. */
  readonly empty: boolean;
}

const FIRST_LOOK = 64 * 1024;

/** Looks at the beginning of a source: its charset, its line ends, its header, and whether there is anything behind it. */
export async function probe(open: OpenSource, input: RecordInput, signal: AbortSignal): Promise<Probe> {
  const { uri, size } = open.source;
  const charset = charsetOf(uri, await readAll(open, 0, Math.min(size, MOST_MARK_BYTES), signal), input.encoding);
  if ((size - charset.bom) % charset.unit !== 0)
    throw badInput(`${uri}: byte ${size - 1}`, `whole characters of ${charset.encoding}`, 'half of one at the end');
  // Twice as much until the first records are there as a whole.
  for (let bytes = FIRST_LOOK; ; bytes *= 4) {
    const found = await lookAt(open, input, charset, Math.min(size, charset.bom + bytes), signal);
    if (found !== undefined) return found;
  }
}

async function readAll(open: OpenSource, from: number, to: number, signal: AbortSignal): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  if (to > from) for await (const chunk of open.read(from, to, signal)) chunks.push(chunk.slice());
  return Buffer.concat(chunks);
}

async function lookAt(
  open: OpenSource,
  input: RecordInput,
  charset: Charset,
  to: number,
  signal: AbortSignal,
): Promise<Probe | undefined> {
  const { source } = open;
  const window = new Window(open, charset.bom, to, charset, signal);
  try {
    while (await window.fill());
  } finally {
    await window.close();
  }
  const whole = to === source.size;
  const lineEnd = input.type === 'jsonl' || input.type === 'json' ? LF : lineEndOf(window.units, window.length);
  const row: PlannedSource = {
    ...source,
    encoding: charset.encoding,
    bom: charset.bom,
    ...(lineEnd === LF ? {} : { lineEnd }),
  };
  const base = { row, charset, lineEnd, from: charset.bom };
  if (input.type === 'text') return { ...base, empty: window.length === 0 };
  if (input.type === 'csv') return lookAtTable(open, input, window, base, whole, signal);
  const begin = skipSpace(window.units, 0, window.length);
  const empty = begin === window.length;
  if (input.type === 'json' || (empty && !whole)) return empty && !whole ? undefined : { ...base, empty: false };
  return { ...base, from: window.placeOf(begin), empty };
}

async function lookAtTable(
  open: OpenSource,
  input: Extract<RecordInput, { type: 'csv' }>,
  window: Window,
  base: Pick<Probe, 'row' | 'charset' | 'lineEnd' | 'from'>,
  whole: boolean,
  signal: AbortSignal,
): Promise<Probe | undefined> {
  const { charset, lineEnd } = base;
  window.last = whole;
  const found = new Found(2);
  scanOf(input, charset, lineEnd, undefined)(window, found);
  const [fault] = found.faults;
  const finder = new LineFinder(open, charset, lineEnd);
  if (fault?.record === 0 && (input.header || fault.fatal))
    throw await badRecord(finder, open.source.uri, window.placeOf(fault.at), fault.expected, fault.found, signal);
  if (found.count < (input.header ? 2 : 1) && !whole) return undefined;
  if (found.count === 0) return { ...base, empty: true };
  const end = found.ends[0]!;
  const columns = columnsOf(input, recordText(window, 0, end, lineEnd));
  const fields = columns.length;
  if (!input.header) return { ...base, row: { ...base.row, fields }, fields, empty: false };
  const twice = columns.find((name, at) => columns.indexOf(name) !== at);
  let begin = 0;
  while (window.units[begin] === LF || window.units[begin] === CR) begin++;
  const header: [number, number] = [window.placeOf(begin), window.placeOf(end)];
  if (twice !== undefined)
    throw await badRecord(
      finder,
      open.source.uri,
      header[0],
      'a name of its own for every column',
      `${JSON.stringify(twice)} twice`,
      signal,
    );
  const row = { ...base.row, header };
  return { ...base, row, from: header[1], columns, fields, empty: found.count < 2 };
}
