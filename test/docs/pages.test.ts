import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { ERRORS } from '../../src/core/error-table.ts';
import { anchors, headings, npmScripts, relativeLinks, scriptFiles } from './markdown.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const SKIPPED = new Set(['node_modules', 'dist', 'coverage', '.git', 'out']);
const PAGE_LINES = 60;

const read = (path: string) => readFileSync(join(root, path), 'utf8');

function pagesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : pagesBelow(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

const pages = pagesBelow('');
const decisions = pages.filter((path) => path.startsWith('docs/decisions/'));

describe.each(pages)('%s', (path) => {
  const text = read(path);

  test('has only links that lead somewhere', () => {
    const broken = relativeLinks(path, text).filter(({ target, anchor }) => {
      if (!existsSync(join(root, target))) return true;
      return anchor !== '' && target.endsWith('.md') && !anchors(read(target)).includes(anchor);
    });
    expect(broken.map(({ link }) => link)).toEqual([]);
  });

  test('names only npm scripts and files that exist', () => {
    const scripts = Object.keys(JSON.parse(read('package.json')).scripts);
    expect(npmScripts(text).filter((name) => !scripts.includes(name))).toEqual([]);
    expect(scriptFiles(text).filter((file) => !existsSync(join(root, file)) && !file.startsWith('dist/'))).toEqual([]);
  });

  test('has one title', () => {
    expect(headings(text, 1)).toHaveLength(1);
  });
});

test('README starts with one command for the main job and one for the tests', () => {
  const blocks = [...read('README.md').matchAll(/^```\w*\n([\s\S]*?)^```/gm)].map((match) => match[1]?.trim());
  expect(blocks[0]).toBe('npm ci && npm run demo');
  expect(blocks[1]).toBe('npm ci && npm test');
});

test('CONTRIBUTING names the check in its first paragraph', () => {
  const [, first] = read('CONTRIBUTING.md').split(/\n\n/);
  expect(first).toContain('npm run check');
});

test('CHANGELOG has a place for the next release', () => {
  expect(headings(read('CHANGELOG.md'), 2)[0]).toBe('[Unreleased]');
});

test('docs/README.md lists every page', () => {
  const listed = relativeLinks('docs/README.md', read('docs/README.md')).map(({ target }) => target);
  const expected = pages.filter((path) => path.startsWith('docs/') && path !== 'docs/README.md');
  expect(expected.filter((path) => !listed.includes(path))).toEqual([]);
});

test('docs/errors.md is what the table of errors says', () => {
  expect(() => execFileSync(process.execPath, [join(root, 'scripts/docs-errors.mjs'), '--check'])).not.toThrow();
  const text = read('docs/errors.md');
  expect(Object.keys(ERRORS).filter((code) => !text.includes(`| \`${code}\` |`))).toEqual([]);
});

test('the reference and the settings are what the tables of the program say', () => {
  expect(() => execFileSync(process.execPath, [join(root, 'scripts/docs-reference.mjs'), '--check'])).not.toThrow();
});

/** Options in the pages that are those of other programs. */
const OF_OTHERS = new Set(
  [
    '--unix-socket --rounds --seconds --prefix --exclude-from --user --scope --joblog --journal --retry-failed',
    // snakemake
    '--slurm',
  ].flatMap((line) => line.split(' ')),
);

test('pages name only options that exist', () => {
  const flags = /(?<![\w-])--[a-z][a-z-]+/g;
  const rows = (path: string, start: RegExp) =>
    read(path)
      .split('\n')
      .filter((line) => start.test(line));
  const known = [
    ...rows('docs/reference.md', /^(?:\| `-|Known, and refused)/),
    ...rows('docs/slurm.md', /^\| `-/),
    ...rows('docs/worker.md', /^\| `--/),
    ...rows('docs/in-instance.md', /^\| `(?:spored|instance) /),
    ...rows('docs/outputs.md', /^\| `spored /),
  ];
  const exist = new Set(['--help', '--version', ...known.flatMap((line) => line.match(flags) ?? [])]);
  expect(exist.size).toBeGreaterThan(60);
  const wrong = pages
    .filter((path) => /^(?:README\.md|docs\/[^/]+\.md|examples\/.*)$/.test(path))
    .flatMap((path) => (read(path).match(flags) ?? []).map((flag) => ({ path, flag })))
    .filter(({ flag }) => !exist.has(flag) && !OF_OTHERS.has(flag));
  expect(wrong).toEqual([]);
});

test('the README compares with what was measured', () => {
  const results = JSON.parse(read('bench/results/shell-tasks.json'));
  const rate = (name: string) => `${results[`${name} tasks per second`].median.toLocaleString('en')}/s`;
  expect(read('README.md')).toContain(`| ${rate('spawn')} | ${rate('GNU parallel -j2')} |`);
});

describe('decisions', () => {
  test('are numbered without a gap', () => {
    expect(decisions.toSorted().map((path) => Number(path.slice('docs/decisions/'.length).slice(0, 4)))).toEqual(
      decisions.map((_, index) => index + 1),
    );
  });

  test.each(decisions)('%s says why, and fits a page', (path) => {
    const text = read(path);
    expect(headings(text, 2)).toEqual(['Context', 'Options', 'Decision']);
    expect(text.split('\n').length).toBeLessThanOrEqual(PAGE_LINES);
  });
});
