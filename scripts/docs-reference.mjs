// Writes docs/reference.md and the lists in docs/slurm.md from the tables of options that the command line reads, and the list in
// docs/settings.md from the table of settings, so that the pages cannot say anything else. `--check` writes nothing and fails when a page differs.
import { readFileSync, writeFileSync } from 'node:fs';
import { COMMANDS } from '../src/cli/registry.ts';
import { SLURM_COMMANDS } from '../src/cli/slurm/registry.ts';
import { SETTINGS } from '../src/config/setting-table.ts';

const BEGIN = '<!-- Written by `npm run docs:reference`; do not edit. -->';
const END = '<!-- End of what is written by `npm run docs:reference`. -->';

const cell = (text) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
const table = (titles, rows) =>
  [titles, titles.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

function optionRow([name, { short, value, summary, many, choices }]) {
  const word = value === undefined ? '' : ` ${value}`;
  const long = `\`--${name}${cell(word)}\``;
  const letter = short === undefined ? '' : `\`-${short}\`, `;
  const chosen = choices === undefined ? '' : `: ${choices.map((choice) => `\`${choice}\``).join(', ')}`;
  return [`${letter}${long}`, `${cell(summary)}${chosen}${many ? ' (may be given several times)' : ''}`];
}

function section({ name, summary }, { usage, about, options, examples }) {
  const rows = Object.entries(options)
    .filter(([, { hidden }]) => !hidden)
    .map(optionRow);
  const refused = Object.entries(options)
    .filter(([, { hidden }]) => hidden)
    .map(([name]) => `\`--${name}\``);
  return [
    `## spawn ${name}`,
    `${summary}.`,
    `\`\`\`sh\n${usage.map((line) => `spawn ${line}`).join('\n')}\n\`\`\``,
    cell(about.replaceAll('\n', ' ')),
    ...(rows.length === 0 ? [] : [table(['Option', 'Means'], rows)]),
    ...(refused.length === 0 ? [] : [`Known, and refused with the reason: ${refused.join(', ')}.`]),
    `\`\`\`sh\n${examples.map(({ line, says }) => `${line}   # ${says}`).join('\n')}\n\`\`\``,
  ].join('\n\n');
}

const commands = await Promise.all(COMMANDS.map(async (entry) => [entry, await entry.load()]));
const groups = [...new Set(COMMANDS.map(({ group }) => group))];
const contents = groups.map((group) => {
  const links = COMMANDS.filter((entry) => entry.group === group).map(({ name }) => `[${name}](#spawn-${name})`);
  return `- ${group}: ${links.join(', ')}`;
});
const reference = `# Reference of the command line

${BEGIN}

Every command and every option of \`spawn\`. What they are for is told in [commands](commands.md) and [submitting](submit.md).
The options of Slurm's commands (\`spawn sbatch\` and
the others) are in [Slurm's commands](slurm.md#options). \`spawn help COMMAND\` prints the same. All commands take \`-h\`, \`--help\`; \`spawn --version\` prints the version.

${contents.join('\n')}

${commands.map(([entry, command]) => section(entry, command)).join('\n\n')}
`;

const settings = table(
  ['Setting', 'Variable', 'Value', 'Default', 'Means'],
  SETTINGS.map(({ name, variable, type, usual, meaning }) => [
    `\`${name}\``,
    `\`${variable}\``,
    type,
    usual === undefined ? '' : cell(usual),
    cell(meaning),
  ]),
);

const HERE = { acts: 'same', noted: 'accepted and ignored', refused: 'refused' };
const VALUES = { none: '', required: '=…', optional: '[=…]' };

/** One option of Slurm's: what it does here. */
function slurmRow({ long, short, argument, variable, verdict, sameAs, note = '' }) {
  const letter = short === undefined ? '' : `\`-${short}\`, `;
  const here = verdict === 'acts' && note !== '' && sameAs === undefined ? 'differs' : HERE[verdict];
  return [
    `${letter}\`--${long}${VALUES[argument]}\``,
    variable === undefined ? '' : `\`${variable}\``,
    here,
    cell(note),
  ];
}

const dialects = await Promise.all(SLURM_COMMANDS.map(async ({ load }) => load()));
const slurmOptions = dialects
  .map(
    ({ command, options }) =>
      `### ${command}\n\n${table(['Option', 'Variable', 'Here', 'Note'], options.map(slurmRow))}`,
  )
  .join('\n\n');

/** The page with what stands between the marks replaced. */
function between(text, part) {
  const [before, rest] = text.split(BEGIN);
  const [, after] = (rest ?? '').split(END);
  if (after === undefined) throw new Error('a page has lost its marks');
  return `${before}${BEGIN}\n\n${part}\n\n${END}${after}`;
}

const pages = [
  ['docs/reference.md', () => reference],
  ['docs/settings.md', (text) => between(text, settings)],
  ['docs/slurm.md', (text) => between(text, slurmOptions)],
];
for (const [path, make] of pages) {
  const url = new URL(`../${path}`, import.meta.url);
  const found = readOr(url);
  const wanted = make(found);
  if (found === wanted) continue;
  if (process.argv.includes('--check')) {
    console.error(`${path} is not what the tables say; run \`npm run docs:reference\``);
    process.exitCode = 1;
  } else {
    writeFileSync(url, wanted);
  }
}

function readOr(url) {
  try {
    return readFileSync(url, 'utf8');
  } catch {
    return '';
  }
}
