/** Lines of at most `width`, broken at blanks; a word that is longer has a line of its own. At least one line. */
export function wrapWords(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let rest = text;
  while ([...rest].length > width) {
    const head = [...rest].slice(0, width + 1).join('');
    const last = head.lastIndexOf(' ');
    const end = last > 0 ? last : rest.indexOf(' ', 1);
    if (end < 0) break;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end + 1);
  }
  return [...lines, rest];
}
