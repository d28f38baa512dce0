import type { InputSpec } from '../../api/data.ts';
import type { OpenPart } from '../../inputs/open/open-part.ts';
import type { Extent, PlannedSource } from '../../inputs/plan/manifest.ts';
import type { SourceReader } from '../../inputs/source.ts';

/** Of these a part holds the bytes of its sources as they are. */
const AS_IT_IS: ReadonlySet<InputSpec['type']> = new Set(['files', 'binary', 'text', 'jsonl', 'csv']);

/**
 * The path of the file that a part is, when its bytes are those of one whole file of this machine: then it is not copied. Throws INPUT_CHANGED when
 * it is not what was planned.
 */
export async function wholeFile(
  type: InputSpec['type'],
  part: OpenPart,
  reader: SourceReader,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!AS_IT_IS.has(type)) return undefined;
  const extents: Extent[] = [];
  for await (const extent of part.part.extents()) if (extents.push(extent) > 1) return undefined;
  const [only] = extents;
  const [source] = only === undefined ? [] : await part.sources();
  if (only === undefined || source === undefined || !isWhole(only, source)) return undefined;
  const open = await reader.open(source, signal);
  try {
    await open.check(signal);
  } finally {
    await open.close();
  }
  return source.uri;
}

function isWhole({ from, to }: Extent, { uri, size, bom = 0, header }: PlannedSource): boolean {
  // The header of a table goes before the bytes of its parts, where it stands in the file.
  const begins = header === undefined ? from === 0 : header[0] === 0 && header[1] === from;
  return uri.startsWith('/') && bom === 0 && begins && to === size;
}
