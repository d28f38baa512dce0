import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(join(root, 'docs/benchmarks.md'), 'utf8');
const resultFolder = join(root, 'bench/results');
const results = new Map(
  readdirSync(resultFolder).map((name) => [name.replace('.json', ''), readFileSync(join(resultFolder, name), 'utf8')]),
);

/** Numbers as a reader sees them, without the commas between thousands; none that is a part of a word or a version. */
function numbersIn(text: string): string[] {
  return [...text.matchAll(/(?<![\w.-])\d+(?:,\d{3})*(?:\.\d+)?(?![\w-]|\.\d)/g)].map(([found]) =>
    found.replaceAll(/,(?=\d{3})/g, ''),
  );
}

function table(heading: string): string[][] {
  const rows = page
    .slice(page.indexOf(heading))
    .split('\n')
    .filter((line) => line.startsWith('|'));
  return rows.map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

const questions = table('| Question |')
  .slice(2)
  .filter((cells) => cells.length === 5);

test('docs/benchmarks.md is what bench/results says', () => {
  expect(() => execFileSync(process.execPath, [join(root, 'scripts/docs-benchmarks.mjs'), '--check'])).not.toThrow();
});

describe.each(questions)('%s', (question, result = '', _goal, reached, command = '') => {
  const file = /bench\/([\w-]+)\.ts/.exec(command)?.[1] ?? '';

  test('shows only figures of its own result', () => {
    const known = numbersIn(results.get(file) ?? '');
    const shown = numbersIn(result);
    expect(shown.length).toBeGreaterThan(0);
    expect(shown.filter((figure) => !known.includes(figure))).toEqual([]);
  });

  test('says whether its goal is reached', () => {
    expect(['yes', 'no']).toContain(reached);
    expect(page.includes(`- **${question}**`)).toBe(reached === 'no');
  });
});

test('shows no figure outside the tables that was not measured', () => {
  const prose = page
    .split('\n')
    .filter((line) => !line.startsWith('|'))
    .map((line) => line.replace(/^- \*\*.*?\*\*/, ''))
    .join('\n');
  const known = numbersIn([...results.values()].join('\n'));
  const days = [...results.values()].map((text) => JSON.parse(text).at.slice(0, 10));
  const bare = days.reduce((text, day) => text.replaceAll(day, ''), prose.replaceAll(/`[^`]*`/g, ''));
  expect(numbersIn(bare).filter((figure) => !known.includes(figure))).toEqual([]);
});
