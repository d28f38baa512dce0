// Reads TypeScript source without a parser: comments and the contents of strings are cut out first, so that a word
// inside them is never taken for code.

/** One import or re-export, of any form: static, type-only, dynamic, `import('…')` in a type. */
export interface Import {
  readonly from: string;
  readonly isType: boolean;
  /** Loaded only when the code comes there. */
  readonly isDynamic: boolean;
  readonly line: number;
}

interface Blanked {
  /** The source with every comment and string content replaced by spaces; same length, same lines. */
  readonly code: string;
  /** Start offset of each string literal's content, to its value. */
  readonly strings: ReadonlyMap<number, string>;
}

const REGEX_MAY_FOLLOW =
  /(?:^|[=(,:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|delete|void|throw|await|yield))\s*$/;

/** Cuts out comments, strings, regular expressions and the text parts of templates. */
export function blank(source: string): Blanked {
  const strings = new Map<number, string>();
  let code = '';
  let at = 0;
  // For each open template substitution, how many braces are open inside it.
  const templates: number[] = [];

  const spaces = (text: string) => text.replaceAll(/[^\n]/g, ' ');
  const take = (length: number) => {
    code += source.slice(at, at + length);
    at += length;
  };
  const cut = (length: number) => {
    code += spaces(source.slice(at, at + length));
    at += length;
  };
  const templateText = () => {
    const text = /^(?:\\[\s\S]|\$(?!\{)|[^`\\$])*/.exec(source.slice(at))?.[0] ?? '';
    cut(text.length);
    if (source.startsWith('${', at)) {
      take(2);
      templates.push(0);
    } else take(1);
  };

  while (at < source.length) {
    const rest = source.slice(at, at + 2);
    const char = rest[0] as string;
    if (rest === '//') cut(lengthTo(source, at, '\n'));
    else if (rest === '/*') cut(lengthTo(source, at + 2, '*/') + 4);
    else if (char === "'" || char === '"') {
      const body = /^(?:\\[\s\S]|[^\\\n])*?(?=['"])/;
      const text = new RegExp(body.source.replace(`['"]`, char)).exec(source.slice(at + 1))?.[0] ?? '';
      strings.set(at + 1, text);
      take(1);
      cut(text.length);
      take(1);
    } else if (char === '`') {
      take(1);
      templateText();
    } else if (char === '}' && templates.at(-1) === 0) {
      templates.pop();
      take(1);
      templateText();
    } else if (char === '/' && REGEX_MAY_FOLLOW.test(code.slice(-40))) {
      const text = /^\/(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\n[])+\//.exec(source.slice(at))?.[0] ?? '/';
      cut(text.length);
    } else {
      const open = templates.length - 1;
      if (open >= 0 && char === '{') templates[open] = (templates[open] ?? 0) + 1;
      if (open >= 0 && char === '}') templates[open] = (templates[open] ?? 0) - 1;
      take(1);
    }
  }
  return { code, strings };
}

function lengthTo(source: string, from: number, end: string): number {
  const found = source.indexOf(end, from);
  return (found < 0 ? source.length : found) - from;
}

const STATIC = /\b(import|export)\s+(type\s+)?(?:[\w$*\s,]|\{[^}]*\})*?\bfrom\s*(['"])/g;
const BARE = /\bimport\s*(['"])/g;
const DYNAMIC = /\bimport\s*\(\s*(['"`])/g;

/** Every import of a file, re-exports included. */
export function importsOf(source: string): Import[] {
  const { code, strings } = blank(source);
  const found: Import[] = [];
  const add = (match: RegExpExecArray, isType: boolean, isDynamic: boolean) => {
    const start = match.index + match[0].length;
    // A computed module name cannot be checked, so it counts as an import that no wall allows.
    const from = strings.get(start) ?? '(computed)';
    found.push({ from, isType, isDynamic, line: code.slice(0, start).split('\n').length });
  };
  for (const match of code.matchAll(STATIC)) add(match, match[2] !== undefined || onlyTypes(match[0]), false);
  for (const match of code.matchAll(BARE)) add(match, false, false);
  for (const match of code.matchAll(DYNAMIC)) add(match, isTypePosition(code, match.index), true);
  return found.toSorted((a, b) => a.line - b.line);
}

function onlyTypes(statement: string): boolean {
  const names =
    /\{([^}]*)\}/
      .exec(statement)?.[1]
      ?.split(',')
      .map((name) => name.trim())
      .filter(Boolean) ?? [];
  return names.length > 0 && /^\w+\s*\{/.test(statement) && names.every((name) => name.startsWith('type '));
}

function isTypePosition(code: string, at: number): boolean {
  return /(?:\btypeof|[:<|&])\s*$/.test(code.slice(Math.max(0, at - 40), at));
}

const DECLARED =
  /\bexport\s+(?:declare\s+)?(?:async\s+)?(?:abstract\s+)?(?:function\s*\*?|class|const|let|var|type|interface|enum|namespace)\s+([\w$]+)/g;
const LISTED = /\bexport\s+(?:type\s+)?\{([^}]*)\}/g;

/** The names that a file exports (the outside name of `a as b`). */
export function exportedNames(source: string): string[] {
  const { code } = blank(source);
  const declared = [...code.matchAll(DECLARED)].map((match) => match[1] as string);
  const listed = [...code.matchAll(LISTED)].flatMap((match) =>
    (match[1] as string).split(',').map((item) => item.trim().split(/\s+/).at(-1) ?? ''),
  );
  return [...declared, ...listed].filter(Boolean);
}
