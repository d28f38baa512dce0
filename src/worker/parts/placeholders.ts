/** What can stand in a command for something of its task. `{param:NAME}` besides. */
const NAMES = ['part', 'input', 'index', 'ordinal', 'attempt', 'output', 'output_dir'] as const;
type Name = (typeof NAMES)[number];

const SIGN = new RegExp(`\\{(${NAMES.join('|')}|param:[A-Za-z_][A-Za-z0-9_]*)\\}`, 'g');
/** One that begins where `lastIndex` says. */
const HERE = new RegExp(SIGN.source, 'y');

/** The variable of a task that has the same. */
const VARIABLES: Readonly<Record<Name, string>> = {
  part: 'SPAWN_PART_FILE',
  input: 'SPAWN_INPUT',
  index: 'SPAWN_ARRAY_INDEX',
  ordinal: 'SPAWN_ORDINAL',
  attempt: 'SPAWN_ATTEMPT',
  output: 'SPAWN_OUTPUT_FILE',
  output_dir: 'SPAWN_OUTPUT_DIR',
};

/** Of one task; undefined what it does not have. */
export type Values = (name: string) => string | undefined;

/** The placeholders in some texts, without their braces. */
export function placeholdersIn(texts: readonly string[]): Set<string> {
  return new Set(texts.flatMap((text) => [...text.matchAll(SIGN)].map(([, name]) => name!)));
}

/** An argument with what its placeholders stand for; what a task does not have is left out. */
export function fillArgument(text: string, values: Values): string {
  return text.replace(SIGN, (_, name: string) => values(name) ?? '');
}

/**
 * A text of a shell, with the variable of the task in the place of each placeholder: a value is never part of the text, so that nothing in it is run.
 * It is quoted where the text does not quote it itself. Between single quotes nothing is replaced, as in any text of a shell.
 */
export function shellText(text: string): string {
  let quote: '"' | "'" | undefined;
  let isHere = false;
  let filled = '';
  for (let at = 0; at < text.length; ) {
    const sign = text[at]!;
    HERE.lastIndex = at;
    const found = sign === '{' && quote !== "'" ? HERE.exec(text) : null;
    if (found !== null) {
      const variable = `\${${variableOf(found[1]!)}}`;
      // What a here-document holds is no word: quotes would be part of it.
      filled += quote === '"' || isHere ? variable : `"${variable}"`;
      at += found[0].length;
      continue;
    }
    const length = sign === '\\' && quote !== "'" ? 2 : 1;
    if (length === 1) {
      if (sign === quote) quote = undefined;
      else if (quote === undefined && (sign === '"' || sign === "'")) quote = sign;
      if (quote === undefined && text.startsWith('<<', at)) isHere = true;
    }
    filled += text.slice(at, at + length);
    at += length;
  }
  return filled;
}

function variableOf(name: string): string {
  return name.startsWith('param:') ? `PARAM_${name.slice('param:'.length)}` : VARIABLES[name as Name];
}
