import type { SlurmOption, Verdict } from '../../config/slurm/sbatch-options.ts';

/** The release of Slurm whose commands these are; clients compare the number. */
export const SLURM_VERSION = '22.05.8';
export const VERSION_TEXT = `slurm ${SLURM_VERSION}\n`;

const TITLES: readonly (readonly [Verdict, string])[] = [
  ['acts', 'Options'],
  ['noted', 'Accepted, recorded, without effect here'],
  ['refused', 'Refused'],
];

/** What help needs of a command. */
interface Described {
  readonly command: string;
  readonly usage: readonly string[];
  readonly about: string;
  readonly options: readonly SlurmOption[];
}

/**
 * `sbatch --help`: how it is written, what it does, its options; `--usage`: how it is written.
 * @param texts what options do: OPTION_TEXTS, which only help loads
 */
export function dialectHelp(
  { command, usage, about, options }: Described,
  usageOnly: boolean,
  texts: Readonly<Record<string, string>> = {},
): string {
  const [first, ...others] = usage;
  const head = [`Usage: ${command} ${first}`, ...others.map((line) => `       ${command} ${line}`)].join('\n');
  if (usageOnly) return `${head}\n`;
  const blocks = TITLES.flatMap(([verdict, title]) => {
    const rows = options
      .filter((option) => option.verdict === verdict)
      .map((option) =>
        helpRow(option, verdict === 'acts' ? (texts[`${command} ${option.long}`] ?? texts[option.long]) : ''),
      );
    if (rows.length === 0) return [];
    const width = Math.max(...rows.map(([left]) => left.length));
    return [`${title}\n${rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd()).join('\n')}`];
  });
  return `${[head, folded(about), ...blocks].join('\n\n')}\n`;
}

function helpRow({ long, short, argument, note = '' }: SlurmOption, text = ''): readonly [string, string] {
  const [value, about] = text.includes('|') && argument !== 'none' ? text.split(/\|(.*)/s) : ['…', text];
  const word = { none: '', required: `=${value}`, optional: `[=${value}]` }[argument];
  return [`${short === undefined ? '    ' : `-${short}, `}--${long}${word}`, (about! || note).replaceAll('`', '')];
}

/** Lines of at most 120 columns. */
function folded(text: string): string {
  return text.replace(/([^\n]{1,120})(?: |(?=\n)|$)/g, (whole, line: string) =>
    whole.endsWith(' ') ? `${line}\n` : line,
  );
}
