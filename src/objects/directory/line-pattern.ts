/** A regular expression about one line, ready to be looked for in many lines at once. */
export interface LinePattern {
  /** For one line, without its end. */
  readonly line: RegExp;
  /**
   * For ASCII lines that each end in a newline: no match reaches over one, so the places it finds are those where `line` finds
   * something in the line there. Undefined for what cannot be rewritten so.
   */
  readonly lines: RegExp | undefined;
}

/** Throws SyntaxError for a text that is no pattern. */
export function compileLinePattern(pattern: string, ignoreCase: boolean): LinePattern {
  const flags = ignoreCase ? 'iv' : 'v';
  const line = new RegExp(pattern, flags);
  const rewritten = keepInLine(pattern);
  return { line, lines: rewritten === undefined ? undefined : new RegExp(rewritten, `g${flags}`) };
}

const LINE_START = '(?<![^\\n])';
const LINE_END = '(?![^\\n])';
const NOTHING = '[]';
/** Escapes that mean the newline itself. */
const NEWLINE_ESCAPE = /\\(?:n|c[Jj]|x0[Aa]|u000[Aa]|u\{0*[Aa]\})/y;
/** Escapes that mean many characters, the newline among them perhaps. */
const CLASS_ESCAPE = /\\(?:[sWD]|[pP]\{[^}]*\})/y;
/** What has a name or a number in it that must not be read as something else. */
const WHOLE = /\\(?:k<[^>]*>|u\{[^}]*\}|[\s\S])|\(\?<(?![=!])[^>]*>/y;
/** `(?i:`, `(?-s:` … change what the parts in them mean. */
const MODIFIERS = /\(\?[a-z-]+:/y;

/** The same pattern, for text of many lines: nothing in it matches a newline, and `^` and `$` are the ends of each line. */
function keepInLine(pattern: string): string | undefined {
  let out = '';
  let at = 0;
  const take = (token: RegExp): string | undefined => {
    token.lastIndex = at;
    const found = token.exec(pattern)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  while (at < pattern.length) {
    if (take(MODIFIERS) !== undefined) return undefined;
    if (take(NEWLINE_ESCAPE) !== undefined) {
      out += NOTHING;
      continue;
    }
    const many = take(CLASS_ESCAPE);
    if (many !== undefined) {
      out += `[${many}--\\n]`;
      continue;
    }
    const whole = take(WHOLE);
    if (whole !== undefined) {
      out += whole;
      continue;
    }
    const char = pattern[at]!;
    if (char === '[') {
      const end = classEnd(pattern, at);
      const text = pattern.slice(at, end);
      // Strings as members: one of them may hold a newline.
      if (text.includes('\\q{')) return undefined;
      out += `[${text}--\\n]`;
      at = end;
      continue;
    }
    out += char === '^' ? LINE_START : char === '$' ? LINE_END : char === '\n' ? NOTHING : char;
    at += 1;
  }
  return out;
}

/** Just behind the bracket that closes the class which opens at `start`. The pattern is a valid one. */
function classEnd(pattern: string, start: number): number {
  let depth = 0;
  for (let at = start; ; at += 1) {
    if (pattern[at] === '\\') at += 1;
    else if (pattern[at] === '[') depth += 1;
    else if (pattern[at] === ']') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
}
