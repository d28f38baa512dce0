import { decode } from '../encoding.ts';
import type { LeftOutRecord } from '../left-out.ts';
import type { GetBlob } from '../plan/manifest.ts';
import type { Plan } from '../plan/reader.ts';
import { charsetOfPlanned } from '../record-input.ts';
import type { OpenSource, SourceReader } from '../source.ts';

/** Bytes of a record that are shown. */
const MOST_BYTES = 64 * 1024;

/** A record that a plan left out, with what stands there: characters that are none became U+FFFD; the first 64 KiB of it. */
export interface ShownLeftOut extends LeftOutRecord {
  readonly text: string;
}

/** The records that a plan left out, in their order, read from their sources again. */
export async function* leftOutRecords(
  plan: Plan,
  get: GetBlob,
  reader: SourceReader,
  signal: AbortSignal,
): AsyncIterable<ShownLeftOut> {
  const { list } = plan.manifest.leftOut ?? {};
  if (list === undefined) return;
  const lines = Buffer.from(await get(list))
    .toString()
    .trimEnd()
    .split('\n');
  let open: OpenSource | undefined;
  let position = -1;
  try {
    for (const line of lines) {
      const record: LeftOutRecord = JSON.parse(line);
      if (record.source !== position || open === undefined) {
        await open?.close();
        position = record.source;
        open = await reader.open(await plan.source(position), signal);
        await open.check(signal);
      }
      const chunks: Uint8Array[] = [];
      const to = Math.min(record.to, record.from + MOST_BYTES);
      for await (const chunk of open.read(record.from, to, signal)) chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      const { encoding } = charsetOfPlanned(await plan.source(position));
      if (encoding === 'utf-16be' && bytes.length % 2 === 0) bytes.swap16();
      yield { ...record, text: decode(bytes, encoding, 0, bytes.length) };
    }
  } finally {
    await open?.close();
  }
}
