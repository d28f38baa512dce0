import type { Value, VerbWords } from './words.ts';

/** The script for zsh, to be sourced or put into a folder of `fpath` as `_spawn`. */
export function zshScript(verbs: readonly VerbWords[]): string {
  const described = verbs.map(({ name, summary }) => quoted(`${name}:${colons(summary)}`));
  return `#compdef spawn
# Completes spawn in zsh: source <(spawn completion zsh), after compinit
_spawn_jobs() {
  local -a jobs
  jobs=(\${(f)"$(\${words[1]} complete jobs 2>/dev/null | tr '\\t' ':')"})
  _describe -V job jobs
}
_spawn_instances() {
  local -a instances
  instances=(\${(f)"$(\${words[1]} complete instances 2>/dev/null | tr '\\t' ':')"})
  _describe -V instance instances
}
_spawn() {
  local cur=\${words[CURRENT]} prev=\${words[CURRENT-1]}
  local -a found
  if ((CURRENT == 2)); then
    found=(${described.join(' ')})
    _describe command found
    return
  fi
  case \${words[2]} in
${verbs.map(verbCase).join('\n')}
  esac
}
if [[ \${funcstack[1]} == _spawn ]]; then _spawn "$@"; else compdef _spawn spawn; fi
`;
}

function verbCase({ name, options, operands }: VerbWords): string {
  const described = options.map(({ name, summary }) => quoted(`--${name}:${colons(summary)}`));
  const values = options.flatMap(({ name, short, value }) => {
    if (value === undefined) return [];
    return [`        --${name}${short === undefined ? '' : `|-${short}`}) ${reply(value)}; return ;;`];
  });
  const cases = values.length === 0 ? [] : ['      case $prev in', ...values, '      esac'];
  return [
    `    ${name})`,
    ...cases,
    `      if [[ $cur == -* ]]; then found=(${described.join(' ')}); _describe -o option found; return; fi`,
    `      ${reply(operands)}`,
    '      ;;',
  ].join('\n');
}

function reply(value: Value): string {
  switch (value.kind) {
    case 'words':
      return `compadd -- ${value.words.map(quoted).join(' ')}`;
    case 'file':
      return '_files';
    case 'directory':
      return '_files -/';
    case 'job':
      return '_spawn_jobs';
    case 'instance':
      return '_spawn_instances';
    case 'any':
      return ':';
  }
}

/** A colon ends the word that is described. */
function colons(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll(':', '\\:');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
