/** Of one result as JSON. */
const MOST_RESULT_BYTES = 1024 * 1024;

/**
 * The JSON of what a handler returned; undefined for undefined.
 *
 * @throws TypeError for what JSON has no word for, RangeError for a result that is too long
 */
export function resultText(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  checkValue('', value);
  // Only objects hold what could get lost in silence.
  const text = typeof value === 'object' ? JSON.stringify(value, checked) : JSON.stringify(value);
  const bytes = Buffer.byteLength(text);
  if (bytes <= MOST_RESULT_BYTES) return text;
  throw new RangeError(
    `the handler returned ${bytes} bytes of JSON; a result has at most ${MOST_RESULT_BYTES} (write a file with emit for more)`,
  );
}

function checked(this: unknown, key: string, value: unknown): unknown {
  checkValue(key, value);
  return value;
}

function checkValue(key: string, value: unknown): void {
  const what = unwritable(value);
  if (what === undefined) return;
  const where = key === '' ? '' : ` at ${JSON.stringify(key)}`;
  throw new TypeError(`the handler returned ${what}${where}, which JSON cannot hold`);
}

function unwritable(value: unknown): string | undefined {
  switch (typeof value) {
    case 'function':
      return 'a function';
    case 'symbol':
      return 'a symbol';
    case 'bigint':
      return 'a BigInt';
    case 'number':
      return Number.isFinite(value) ? undefined : String(value);
    case 'object':
      if (value instanceof Map) return 'a Map';
      if (value instanceof Set) return 'a Set';
      if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return 'bytes';
      return undefined;
    case 'string':
    case 'boolean':
    case 'undefined':
      return undefined;
  }
}
