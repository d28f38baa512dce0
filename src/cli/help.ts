import type { Command, Entry, Example } from './command.ts';

const INDENT = '  ';

const EXAMPLES: readonly Example[] = [
  { line: 'spawn submit --array 100 run.sh', says: 'submit 100 tasks' },
  { line: 'spawn watch 12', says: 'see them run' },
  { line: 'spawn status 12', says: 'what failed, and why' },
  { line: 'spawn logs 12 --state failed', says: 'what they wrote' },
  { line: 'spawn retry 12', says: 'run what failed again' },
];
const EXAMPLE_WIDTH = Math.max(...EXAMPLES.map(({ line }) => line.length));

/** `spawn --help`: every verb in its group, with one line each. */
export function overview(entries: readonly Entry[]): string {
  const width = Math.max(...entries.map(({ name }) => name.length));
  const groups = [...new Set(entries.map(({ group }) => group))].map((group) => {
    const lines = entries
      .filter((entry) => entry.group === group)
      .map(({ name, summary }) => `${INDENT}${name.padEnd(width)}  ${summary}`);
    return `${group}\n${lines.join('\n')}`;
  });
  return [
    'Usage: spawn COMMAND [options] …',
    'Runs arrays of tasks on this machine and keeps track of them. See: spawn help COMMAND',
    ...groups,
    `Examples\n${EXAMPLES.map(({ line, says }) => `${INDENT}${line.padEnd(EXAMPLE_WIDTH)}  ${says}`).join('\n')}`,
    'A job is named by its number (12), its name or its array id; tasks as 12_7 or 12_[1,3-5].',
    '',
  ]
    .join('\n\n')
    .trimEnd()
    .concat('\n');
}

/** `spawn help VERB`: how it is written, what it does, its options and examples. */
export function commandHelp(command: Command): string {
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
  const options = rows.map(([left, right]) => `${INDENT}${left!.padEnd(width)}  ${right}`);
  const examples = command.examples.map(({ line, says }) => `${INDENT}${line}\n${INDENT}${INDENT}${says}`);
  return `${[usage, command.about, `Options\n${options.join('\n')}`, `Examples\n${examples.join('\n')}`].join('\n\n')}\n`;
}

function choices(values: readonly string[] | undefined): string {
  return values === undefined ? '' : `: ${values.join(', ')}`;
}
