import { notSubmitted, refuse, refuseLine } from './refusal.ts';

const LF = 10;
const CR = 13;
const HASH = 35;
const MAGIC = '#SBATCH';
/** As many words as a command line may sensibly have. */
const MAX_WORDS = 10_000;
const HET_JOB = new Set(['hetjob', 'packjob']);

/**
 * Checks what sbatch(1) asks of a script: not empty, an interpreter in its first line, no NUL, no line ends of DOS.
 * @throws SpawnError with Slurm's words, exit code 1
 */
export function checkBatchScript(bytes: Uint8Array): void {
  const errors = (...texts: string[]) =>
    refuse(
      texts.map((text) => ({ form: 'error' as const, text })),
      1,
    );
  if (bytes.length === 0) throw errors('Batch script is empty!');
  if (bytes.every(isSpace)) throw errors('Batch script contains only whitespace!');
  if (bytes[0] !== HASH || bytes[1] !== 33) {
    throw errors(
      'This does not look like a batch script.  The first',
      'line must start with #! followed by the path to an interpreter.',
      'For instance: #!/bin/sh',
    );
  }
  if (bytes.includes(0)) {
    throw errors('The Slurm controller does not allow scripts that', "contain a NULL character '\\0'.");
  }
  for (let at = bytes.indexOf(CR); at >= 0; at = bytes.indexOf(CR, at + 1)) {
    if (bytes[at + 1] === LF) {
      throw errors('Batch script contains DOS line breaks (\\r\\n)', 'instead of expected UNIX line breaks (\\n).');
    }
  }
}

/** The script that runs the command of `--wrap`. */
export function wrappedScript(command: string): string {
  return `#!/bin/sh\n# This script was created by sbatch --wrap.\n\n${command}\n`;
}

/**
 * The words of all `#SBATCH` lines, which are read as one command line. They end at the first line that is neither blank nor a comment.
 *
 * @param file as messages call it
 * @throws SpawnError with Slurm's words
 */
export function readDirectives(bytes: Uint8Array, file: string): readonly string[] {
  const words: string[] = [];
  const decoder = new TextDecoder();
  let number = 0;
  for (let from = 0; from < bytes.length; ) {
    const lf = bytes.indexOf(LF, from);
    const to = lf < 0 ? bytes.length : lf;
    const at = from;
    from = to + 1;
    number += 1;
    const first = firstOf(bytes, at, to);
    if (first < to && bytes[first] !== HASH) break;
    if (first === at) {
      const line = decoder.decode(bytes.subarray(at, to));
      if (!line.startsWith(MAGIC)) continue;
      for (const word of wordsOf(line.slice(MAGIC.length), file, number)) {
        if (words.push(word) > MAX_WORDS) throw refuseLine(`${file}: more than ${MAX_WORDS} words in #SBATCH lines`, 1);
      }
    }
  }
  return words;
}

/** The first byte from `from` that is no blank, or `to`. */
function firstOf(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && isSpace(bytes[at]!)) at += 1;
  return at;
}

function isSpace(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13);
}

/** The words of one line. An empty one (`""`) ends the line, as in Slurm. */
function* wordsOf(text: string, file: string, number: number): Generator<string> {
  const first = text.trimStart();
  let rest = first;
  for (;;) {
    const [word, length] = wordAt(rest, file, number);
    if (word === '') return;
    if (rest === first && HET_JOB.has(word)) {
      throw notSubmitted('Requested operation not supported on this system');
    }
    yield word;
    rest = rest.slice(length);
  }
}

/**
 * The word that a line begins with, and how much of the line it took. Quotes of both kinds and backslashes, also within quotes, keep blanks
 * and `#` in it; else `#` begins a comment.
 */
function wordAt(line: string, file: string, number: number): readonly [word: string, length: number] {
  const fatal = (text: string) => refuse([{ form: 'fatal', text: `${file}: line ${number}: ${text} in [${line}]` }], 1);
  let at = line.length - line.trimStart().length;
  if (line[at] === ':') throw fatal('Unexpected `:`');
  let word = '';
  let quote = '';
  for (; at < line.length; at += 1) {
    const char = line[at]!;
    if (char === '\\') {
      at += 1;
      // Blanks end a word outside of quotes, whatever stands before them.
      if (quote === '' && isSpace(line.charCodeAt(at))) break;
      word += line[at] ?? '';
    } else if (quote !== '') {
      if (char === quote) quote = '';
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
    } else if (char === '#' || isSpace(char.charCodeAt(0))) {
      break;
    } else {
      word += char;
    }
  }
  if (quote !== '') throw fatal(`Unmatched \`${quote}\``);
  return [word, at];
}
