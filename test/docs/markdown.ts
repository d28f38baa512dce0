import { posix } from 'node:path';

/** Markdown with the contents of code blocks and code spans blanked, so that an example is not taken for a link. */
function withoutCode(text: string): string {
  return text
    .replaceAll(/^(```+|~~~+)[^\n]*\n[\s\S]*?^\1\s*$/gm, (block) => block.replaceAll(/[^\n]/g, ' '))
    .replaceAll(/(`+)[^`][\s\S]*?\1/g, (span) => span.replaceAll(/[^\n]/g, ' '));
}

/** The links of a page that point into the repository: target path from its root, and the anchor after `#`. */
export function relativeLinks(path: string, text: string): { link: string; target: string; anchor: string }[] {
  const code = withoutCode(text);
  const inline = [...code.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)];
  const defined = [...code.matchAll(/^\s*\[[^\]]+\]:\s*<?(\S+?)>?\s*$/gm)];
  return [...inline, ...defined]
    .map((match) => match[1] as string)
    .filter((link) => !/^[a-z][a-z+.-]*:/i.test(link))
    .map((link) => {
      const [file = '', anchor = ''] = link.split('#', 2);
      const target = file === '' ? path : posix.normalize(posix.join(posix.dirname(path), decodeURI(file)));
      return { link, target, anchor };
    });
}

/** The headings of a page at a level, in order. */
export function headings(text: string, level: number): string[] {
  const marks = '#'.repeat(level);
  return [...withoutCode(text).matchAll(new RegExp(`^${marks} `, 'gm'))].map((match) => {
    const line = text.slice(match.index + level + 1);
    return line.slice(0, line.search(/\n|$/)).trim();
  });
}

/** The anchors that a page offers, made as GitHub makes them. */
export function anchors(text: string): string[] {
  return [1, 2, 3, 4, 5, 6]
    .flatMap((level) => headings(text, level))
    .map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    );
}

/** The names of npm scripts that a page tells its reader to run. */
export function npmScripts(text: string): string[] {
  const named = [...text.matchAll(/\bnpm run (?:-s )?([\w:-]+)/g)].map((match) => match[1] as string);
  return [...named, ...(/\bnpm (?:test|t)\b/.test(text) ? ['test'] : [])];
}

/** The files of this repository that a page tells its reader to run. */
export function scriptFiles(text: string): string[] {
  return [...text.matchAll(/\b(?:bash|node|sh) ((?:\.\/)?[\w.-]+(?:\/[\w.-]+)+)/g)].map((match) => match[1] as string);
}
