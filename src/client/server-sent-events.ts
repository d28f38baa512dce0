import { MAX_LINE_BYTES, readLines } from './lines.ts';

export interface ServerSentEvent {
  /** `message` when the server names none. */
  event: string;
  data: string;
}

/**
 * The events of a stream as the HTML standard defines them (9.2.6, without ids and retry times, which this API does not send).
 * An event that the stream breaks off is dropped. Throws RangeError when one is larger than `maxBytes`.
 */
export async function* readEvents(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number = MAX_LINE_BYTES,
): AsyncGenerator<ServerSentEvent, void, undefined> {
  let event = '';
  let data: string[] = [];
  let size = 0;
  for await (const line of readLines(chunks, maxBytes)) {
    if (line === '') {
      if (data.length > 0) yield { event: event === '' ? 'message' : event, data: data.join('\n') };
      event = '';
      data = [];
      size = 0;
      continue;
    }
    const { name, value } = field(line);
    if (name === 'event') event = value;
    if (name === 'data') data.push(value);
    size += line.length;
    if (size > maxBytes) throw new RangeError(`an event has more than ${maxBytes} bytes`);
  }
}

/** A comment is a field without a name. */
function field(line: string): { name: string; value: string } {
  const colon = line.indexOf(':');
  if (colon < 0) return { name: line, value: '' };
  const value = line.slice(colon + 1);
  return { name: line.slice(0, colon), value: value.startsWith(' ') ? value.slice(1) : value };
}
