/**
 * The records of a CSV text (RFC 4180), each an array of fields: quoted fields may hold commas, line ends and doubled
 * quotes; lines end in LF or CRLF, the last one also without. Empty lines are left out.
 *
 * @param {string} text
 * @returns {Generator<string[]>}
 * @throws {SyntaxError} for a quote that is never closed, and for text after a closing quote
 */
export function* readCsv(text) {
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  let line = 1;
  let record = [];

  while (at < text.length) {
    const [field, end, lines] = text[at] === '"' ? quoted(text, at, line) : plain(text, at);
    record.push(field);
    line += lines;
    at = end;

    if (text[at] === ',') {
      at += 1;
      // A comma at the very end is followed by one more field, an empty one.
      if (at === text.length) record.push('');
      else continue;
    } else if (text.startsWith('\r\n', at)) at += 2;
    else if (text[at] === '\n') at += 1;
    else if (at < text.length) throw new SyntaxError(`line ${line}: expected a comma after a closing quote`);

    line += 1;
    if (record.length > 1 || record[0] !== '') yield record;
    record = [];
  }
  if (record.length > 0) yield record;
}

/** A field without quotes: up to the next comma or line end. */
function plain(text, start) {
  let end = start;
  while (end < text.length && text[end] !== ',' && text[end] !== '\n' && !text.startsWith('\r\n', end)) end += 1;
  return [text.slice(start, end), end, 0];
}

/** A field in quotes: up to the quote that is not doubled. */
function quoted(text, start, line) {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 2)) {
    if (text[end + 1] === '"') continue;
    const field = text.slice(start + 1, end);
    return [field.replaceAll('""', '"'), end + 1, field.split('\n').length - 1];
  }
  throw new SyntaxError(`line ${line}: a quote is never closed`);
}
