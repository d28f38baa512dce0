import type { Value, VerbWords } from './words.ts';

/** The script that bash runs once; it starts spawn only where jobs are asked for. */
export function bashScript(verbs: readonly VerbWords[]): string {
  return `# Completes spawn in bash: eval "$(spawn completion bash)"
_spawn() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} verb=\${COMP_WORDS[1]} options
  COMPREPLY=()
  # bash takes "--option=value" apart.
  if [[ $cur == '=' ]]; then cur=''; prev=\${COMP_WORDS[COMP_CWORD-1]}
  elif [[ $prev == '=' ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '${verbs.map(({ name }) => name).join(' ')} --help --version' -- "$cur"))
    return
  fi
  case $verb in
${verbs.map(verbCase).join('\n')}
  esac
}
complete -F _spawn spawn
`;
}

function verbCase({ name, options, operands }: VerbWords): string {
  const words = options.map((option) => `--${option.name}`).join(' ');
  const values = options.flatMap(({ name, short, value }) => {
    if (value === undefined) return [];
    return [`        --${name}${short === undefined ? '' : ` | -${short}`}) ${reply(value)} return ;;`];
  });
  const cases = values.length === 0 ? [] : ['      case $prev in', ...values, '      esac'];
  return [
    `    ${name})`,
    ...cases,
    `      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W '${words}' -- "$cur")); return; fi`,
    `      ${reply(operands)}`,
    '      ;;',
  ].join('\n');
}

function reply(value: Value): string {
  switch (value.kind) {
    case 'words':
      return `COMPREPLY=($(compgen -W '${value.words.join(' ')}' -- "$cur"));`;
    case 'file':
      return 'compopt -o default 2>/dev/null; COMPREPLY=();';
    case 'directory':
      return 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$cur"));';
    case 'job':
      return `COMPREPLY=($(compgen -W "$("\${COMP_WORDS[0]}" complete jobs 2>/dev/null | cut -f1)" -- "$cur"));`;
    case 'instance':
      return `COMPREPLY=($(compgen -W "$("\${COMP_WORDS[0]}" complete instances 2>/dev/null | cut -f1)" -- "$cur"));`;
    case 'any':
      return ':;';
  }
}
