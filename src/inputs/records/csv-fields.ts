/** The texts of one record, decoded and without its line end. `delimiter` and `quote` as the input names them. */
export function fieldsOf(record: string, delimiter: string, quote: string): string[] {
  if (!record.includes(quote)) return record.split(delimiter);
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    let text = '';
    if (record[at] === quote) {
      at++;
      for (;;) {
        const closing = record.indexOf(quote, at);
        // An unclosed one is found by the scan; here it goes to the end.
        if (closing < 0) return [...fields, text + record.slice(at)];
        text += record.slice(at, closing);
        at = closing + 1;
        if (record[at] !== quote) break;
        text += quote;
        at++;
      }
    }
    const end = record.indexOf(delimiter, at);
    fields.push(text + record.slice(at, end < 0 ? record.length : end));
    if (end < 0) return fields;
    at = end + delimiter.length;
  }
}

/** A row of named columns as an object, made without a name being taken for anything else than a name. */
export function rowMaker(columns: readonly string[]): (fields: readonly string[]) => Record<string, string> {
  // An assignment to this one name would set the prototype.
  if (columns.includes('__proto__'))
    return (fields) => Object.fromEntries(fields.map((text, at) => [columns[at] ?? String(at + 1), text]));
  return (fields) => {
    const row: Record<string, string> = {};
    for (let at = 0; at < fields.length; at++) row[columns[at] ?? String(at + 1)] = fields[at]!;
    return row;
  };
}
