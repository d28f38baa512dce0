import type { Command, Entry, Example } from './command.ts';
import { wrapWords } from './output/wrap-words.ts';

const INDENT = '  ';

const EXAMPLES: readonly Example[] = [
  { line: 'spawn submit --array 100 run.sh', says: 'submit 100 tasks' },
  { line: 'spawn watch 12', says: 'see them run' },
  { line: 'spawn status 12', says: 'what failed, and why' },
  { line: 'spawn logs 12 --state failed', says: 'what they wrote' },
  { line: 'spawn retry 12', says: 'run what failed again' },
  { line: 'spawn launch --count 8 --name fit', says: 'eight instances that know each other' },
  { line: 'spawn list', says: 'how they are' },
];
const EXAMPLE_WIDTH = Math.max(...EXAMPLES.map(({ line }) => line.length));

/** `spawn --help`: every verb in its group, with one line each. */
export function overview(entries: readonly Pick<Entry, 'name' | 'group' | 'summary'>[]): string {
  const width = Math.max(...entries.map(({ name }) => name.length));
  const groups = [...new Set(entries.map(({ group }) => group))].map((group) => {
    const lines = entries
      .filter((entry) => entry.group === group)
      .map(({ name, summary }) => `${INDENT}${name.padEnd(width)}  ${summary}`);
    return `${group}\n${lines.join('\n')}`;
  });
  return [
    'Usage: spawn COMMAND [options] …',
    'Runs arrays of tasks, and instances, on this machine.\nSee: spawn help COMMAND',
    ...groups,
    `Examples\n${EXAMPLES.map(({ line, says }) => `${INDENT}${line.padEnd(EXAMPLE_WIDTH)}  ${says}`).join('\n')}`,
    'A job is named by its number (12), its name or its array id; tasks as 12_7 or\n12_[1,3-5]; instances by name or id.',
    '',
  ]
    .join('\n\n')
    .trimEnd()
    .concat('\n');
}

/** Lines of a text about a command that are shorter end where they do on purpose. */
const FULL_LINE = 95;
/** Summaries of options get no less. */
const NARROWEST = 24;

/** Another width than that for which it was written. */
function reflow(text: string, width: number): string {
  const joined: string[] = [];
  let goesOn = false;
  for (const line of text.split('\n')) {
    if (goesOn) joined.push(`${joined.pop()} ${line}`);
    else joined.push(line);
    goesOn = line.length >= FULL_LINE;
  }
  return joined.flatMap((line) => wrapWords(line, width)).join('\n');
}

/**
 * `spawn help VERB`: how it is written, what it does, its options and examples.
 * @param columns of the terminal; without one lines are as long as they were written
 */
export function commandHelp(command: Command, columns?: number): string {
  const [first, ...others] = command.usage;
  const usage = [`Usage: spawn ${first}`, ...others.map((line) => `       spawn ${line}`)].join('\n');
  const shown = Object.entries(command.options).filter(([, { hidden }]) => !hidden);
  const rows = shown.map(([name, option]) => {
    const short = option.short === undefined ? '    ' : `-${option.short}, `;
    const value = option.value === undefined ? '' : ` ${option.value}`;
    return [
      `${short}--${name}${value}`,
      `${option.summary}${option.many ? ' (repeatable)' : ''}${choices(option.choices)}`,
    ];
  });
  rows.push(['-h, --help', 'Print this']);
  const width = Math.max(...rows.map(([left]) => left!.length));
  const room = Math.max(NARROWEST, (columns ?? Number.POSITIVE_INFINITY) - width - 2 * INDENT.length);
  const indent = `\n${' '.repeat(width + 2 * INDENT.length)}`;
  const options = rows.map(
    ([left, right]) => `${INDENT}${left!.padEnd(width)}  ${wrapWords(right!, room).join(indent)}`,
  );
  const about = columns === undefined ? command.about : reflow(command.about, columns);
  const examples = command.examples.map(({ line, says }) => `${INDENT}${line}\n${INDENT}${INDENT}${says}`);
  return `${[usage, about, `Options\n${options.join('\n')}`, `Examples\n${examples.join('\n')}`].join('\n\n')}\n`;
}

function choices(values: readonly string[] | undefined): string {
  return values === undefined ? '' : `: ${values.join(', ')}`;
}
