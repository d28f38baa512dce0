import type { Value, VerbWords } from './words.ts';

/** The script for fish, to be sourced or put into ~/.config/fish/completions/spawn.fish. */
export function fishScript(verbs: readonly VerbWords[]): string {
  const lines = verbs.flatMap(({ name, summary, options, operands }) => {
    const after = `-n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c spawn -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
      ...options.map(({ name: option, short, summary: says, value }) => {
        const letter = short === undefined ? '' : ` -s ${short}`;
        const takes = value === undefined ? '' : ` ${taken(value)}`;
        return `complete -c spawn ${after} -l ${option}${letter}${takes} -d ${quoted(says)}`;
      }),
      ...operandLine(operands).map((line) => `complete -c spawn ${after} ${line}`),
    ];
  });
  return `# Completes spawn in fish: spawn completion fish | source
complete -c spawn -f
${lines.join('\n')}
`;
}

/** Flags of `complete` for an option with a value. */
function taken(value: Value): string {
  switch (value.kind) {
    case 'words':
      return `-x -a ${quoted(value.words.join(' '))}`;
    case 'file':
      return '-r -F';
    case 'directory':
      return "-x -a '(__fish_complete_directories)'";
    case 'job':
      return "-x -a '(spawn complete jobs 2>/dev/null)'";
    case 'instance':
      return "-x -a '(spawn complete instances 2>/dev/null)'";
    case 'any':
      return '-x';
  }
}

function operandLine(value: Value): string[] {
  switch (value.kind) {
    case 'words':
      return [`-a ${quoted(value.words.join(' '))}`];
    case 'file':
      return ['-F'];
    case 'job':
      return ["-a '(spawn complete jobs 2>/dev/null)'"];
    case 'instance':
      return ["-a '(spawn complete instances 2>/dev/null)'"];
    case 'directory':
    case 'any':
      return [];
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
