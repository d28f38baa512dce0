/** One line, bytes of UTF-8, unless told otherwise: the largest message has an index expression and a script's text. */
export const MAX_LINE_BYTES = 64 * 1024 * 1024;

/**
 * The lines of a byte stream without their ends (`\n` or `\r\n`), however it is cut into chunks. What follows the last end is
 * no line: the stream broke there.
 * Throws RangeError for a line of more than `maxBytes`.
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number = MAX_LINE_BYTES,
): AsyncGenerator<string, void, undefined> {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, end));
      bytes += end - from;
      if (bytes > maxBytes) throw tooLong(maxBytes);
      yield decode(parts);
      parts = [];
      bytes = 0;
      from = end + 1;
    }
    if (from < chunk.length) {
      parts.push(chunk.subarray(from));
      bytes += chunk.length - from;
      if (bytes > maxBytes) throw tooLong(maxBytes);
    }
  }
}

function decode(parts: readonly Uint8Array[]): string {
  const decoder = new TextDecoder();
  let text = '';
  for (const part of parts) text += decoder.decode(part, { stream: true });
  text += decoder.decode();
  return text.endsWith('\r') ? text.slice(0, -1) : text;
}

function tooLong(maxBytes: number): RangeError {
  return new RangeError(`a line has more than ${maxBytes} bytes`);
}
