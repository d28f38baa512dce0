/** Longer lines are cut before and after: a message is for people, and expressions must not take long over one line. */
const MAX_READ = 1_000;
const MAX_MESSAGE = 160;

const ESC = '\u001b';

/** What differs from task to task, with what stands for it; the order matters: larger things first. */
const VARIABLE: readonly (readonly [RegExp, string])[] = [
  // Colours and cursor movements (ECMA-48), titles of terminals, and what is left of control characters.
  [new RegExp(`${ESC}\\[[0-9;?]*[ -/]*[@-~]|${ESC}\\][^${ESC}\\u0007]*(?:\\u0007|${ESC}\\\\)?`, 'g'), ''],
  [/\p{Cc}/gu, ' '],
  [/\b\d{4}[-/]\d{2}[-/]\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?/g, '<time>'],
  [/\b\d{4}-\d{2}-\d{2}\b/g, '<date>'],
  [/\b\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?\b/g, '<time>'],
  [/\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi, '<uuid>'],
  [/\b[a-z][a-z0-9+.-]*:\/\/[^\s'"<>()]+/gi, '<url>'],
  [/\b0x[0-9a-f]+\b/gi, '<address>'],
  [/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/g, '<host>'],
  // Folders often carry the name of the sample or a temporary name; what the file is called says more.
  [/(?<![\w.<>/])~?(?:\/[^\s/'"`:;,()[\]{}<>]+)+\/(?=[^\s/'"`:;,()[\]{}<>])/g, '…/'],
  // Git, hashes, random names: digits and letters mixed in one long word.
  [/\b(?=[a-z_]*\d)(?=\d*[a-z_])[0-9a-f]{8,}\b/gi, '<hex>'],
  [/\btmp(?=[a-z0-9_]{6,}\b)(?:[a-z_]*\d[a-z0-9_]*|[a-z0-9_]{8})\b/g, '<tmp>'],
  [/(?:(?<![\w.)\]])[-+])?\d+(?:[.,]\d+)*(?:[eE][-+]?\d+)?/g, '<n>'],
  [/\s+/g, ' '],
];

/**
 * A line of an error with all that differs from task to task replaced: times, numbers, addresses, hashes, folders. So that tasks that
 * failed in the same way say the same.
 */
export function normaliseLine(line: string): string {
  let text = line.slice(0, MAX_READ);
  for (const [pattern, stand] of VARIABLE) text = text.replace(pattern, stand);
  return cutText(text.trim(), MAX_MESSAGE);
}

/**
 * The last line of a text that is not blank; '' when there is none. Progress bars rewrite their line by carriage returns. The frames of an error of
 * JavaScript stand behind what it says: they are passed over.
 */
export function lastLineOf(text: string): string {
  const lines = text.slice(-MAX_TAIL).split(/[\n\r]/);
  const last = lines.findLastIndex((line) => line.trim() !== '');
  const above = lines.findLastIndex((line, at) => at <= last && line.trim() !== '' && !FRAME.test(line));
  return (lines[above < 0 ? last : above] ?? '').trim();
}

const FRAME = /^\s+at \S/;

/** Characters at the end of a text among which its last line is looked for. */
const MAX_TAIL = 4_096;

/** At most `most` characters, the last one an ellipsis when something was cut. */
export function cutText(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
