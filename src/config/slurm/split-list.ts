/**
 * The items of a list, separators between them left out; within brackets none separates. A bracket that is never closed holds the rest.
 * @param separators each one character
 */
export function splitList(text: string, separators: string): { readonly items: string[]; readonly between: string[] } {
  const items: string[] = [];
  const between: string[] = [];
  let from = 0;
  let inside = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at]!;
    if (char === '[') inside = true;
    else if (char === ']') inside = false;
    else if (!inside && separators.includes(char)) {
      items.push(text.slice(from, at));
      between.push(char);
      from = at + 1;
    }
  }
  return { items: [...items, text.slice(from)], between };
}
