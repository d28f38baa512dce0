/** What of a text in JSON says where it is: where a name or a text begins, brackets, commas and colons; all else is a number or a word. */
const TOKEN = /"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** An object or a list that is open. */
interface Open {
  /** Names seen, of an object. */
  readonly names: Set<string> | undefined;
  /** Of the value that comes, or is, now. */
  key: string | number;
}

type Look = (at: number, open: readonly Open[], kind: 'value' | 'name again') => boolean;

/**
 * Where the value at a path of keys begins, in characters from the start; the nearest value around it when there is none, undefined
 * when that is all of the text.
 *
 * @param text that JSON.parse takes
 */
export function findJsonValue(text: string, keys: readonly (string | number)[]): number | undefined {
  let found: number | undefined;
  walk(text, (at, open, kind) => {
    if (kind !== 'value' || open.length === 0 || open.length > keys.length) return false;
    if (open.some(({ key }, depth) => key !== keys[depth])) return false;
    found = at;
    return open.length === keys.length;
  });
  return found;
}

/** The first name that its object has twice, of which JSON.parse keeps the last value only. */
export function findJsonNameTwice(text: string): { readonly at: number; readonly name: string } | undefined {
  let found: { at: number; name: string } | undefined;
  walk(text, (at, open, kind) => {
    if (kind === 'name again') found = { at, name: String(open.at(-1)!.key) };
    return found !== undefined;
  });
  return found;
}

/** In order. No expression reads a name or a text: of a long one it would use up the stack. */
function* tokensOf(text: string): Generator<{ readonly token: string; readonly at: number }> {
  const tokens = new RegExp(TOKEN);
  for (let found = tokens.exec(text); found !== null; found = tokens.exec(text)) {
    const { 0: first, index: at } = found;
    if (first === '"') tokens.lastIndex = endOfText(text, at + 1);
    yield { token: first === '"' ? text.slice(at, tokens.lastIndex) : first, at };
  }
}

/** Behind the quote that ends what begins at `from`. */
function endOfText(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 1)) {
    let escapes = 0;
    while (text[at - 1 - escapes] === '\\') escapes++;
    if (escapes % 2 === 0) return at + 1;
  }
  return text.length;
}

/** Shows every value, and every name that is there again, in order, until one is what was looked for. Needs no stack. */
function walk(text: string, look: Look): void {
  const open: Open[] = [];
  let isName = false;
  for (const { token, at } of tokensOf(text)) {
    const inner = open.at(-1);
    if (token === ':') isName = false;
    else if (token === ',') {
      isName = inner?.names !== undefined;
      if (inner !== undefined && !isName) inner.key = Number(inner.key) + 1;
    } else if (token === '}' || token === ']') open.pop();
    else if (isName) {
      const name = JSON.parse(token) as string;
      inner!.key = name;
      const isAgain = inner!.names!.has(name);
      inner!.names!.add(name);
      if (isAgain && look(at, open, 'name again')) return;
    } else {
      if (look(at, open, 'value')) return;
      if (token === '[') open.push({ names: undefined, key: 0 });
      if (token === '{') open.push({ names: new Set(), key: '' });
      isName = token === '{';
    }
  }
}
