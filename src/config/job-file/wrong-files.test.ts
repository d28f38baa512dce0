import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isSpawnError } from '../../core/errors.ts';
import { readJobFile } from './read-job-file.ts';

/** Wrong files with all that is said of each: a title, the file, and a line for each fault without the path. */
const cases = readFileSync(new URL('wrong-files.txt', import.meta.url), 'utf8')
  .split(/^### /m)
  .slice(1)
  .map((block): [title: string, text: string, says: string] => {
    const [, title = '', text = '', says = ''] = /^([^\n]*)\n([\s\S]*?)>>>\n([\s\S]*?)\n*$/.exec(block) ?? [];
    return [title, text, says];
  });

const OPTIONS = {
  env: { HOME: '/h', WORD: 'four', MAP: '{cpus: 1}' },
  refusedVariable: (name: string) =>
    name.startsWith('SPAWN_') ? 'a variable that spawn does not set for each task' : undefined,
};

function saidOf(text: string, path = 'job.yaml'): string {
  try {
    return `taken as ${JSON.stringify(readJobFile(path, text, OPTIONS))}`;
  } catch (error) {
    if (!isSpawnError(error)) throw error;
    expect({ code: error.code, exit: error.exitCode }).toEqual({ code: 'BAD_JOB_FILE', exit: 2 });
    return error.message.replaceAll(`${path}:`, '');
  }
}

test('there are at least 80 wrong files, each with a title of its own', () => {
  expect(cases.length).toBeGreaterThanOrEqual(80);
  expect(new Set(cases.map(([title]) => title)).size).toBe(cases.length);
});

describe('a wrong file', () => {
  test.each(cases)('%s', (_, text, says) => {
    expect(saidOf(text)).toBe(says);
  });

  test('with line ends of Windows has the same faults at the same places', () => {
    const text = 'algorithm: {command: x}\ncompute: {cpu: 1}\n';
    expect(saidOf(text.replaceAll('\n', '\r\n'))).toBe(saidOf(text));
    expect(saidOf(text)).toMatch(/^2:11: /);
  });

  test('with a control character', () => {
    expect(saidOf('algorithm: {command: "a\u0007"}')).toBe(
      '1:24: expected text without control characters, found U+0007',
    );
  });

  test('of JSON is told in the words of JSON', () => {
    expect(() => readJobFile('job.json', '{"algorithm": {"command": "x"},}')).toThrow(
      /^job\.json:1:32: expected .*, found "}"$/,
    );
  });

  test('of more than 4 MiB', () => {
    expect(saidOf(`# ${'x'.repeat(4 * 1024 * 1024)}`)).toMatch(/^1:1: expected at most 4194304 characters, found /);
  });

  test.each([
    '['.repeat(100_000),
    '{a: '.repeat(5_000),
    '- '.repeat(100_000),
    `a:\n${Array.from({ length: 200 }, (_, n) => `${' '.repeat(n)}b:\n`).join('')}`,
  ])('that nests without end (%#)', (text) => {
    expect(saidOf(text)).toMatch(/^\d+:\d+: .*expected /);
  });

  test('with very many faults tells of the first hundred', () => {
    const says = saidOf(
      `algorithm: {command: x}\n${Array.from({ length: 500 }, (_, n) => `k${n}: 1`).join('\n')}`,
    ).split('\n');
    expect(says).toHaveLength(101);
    expect(says.at(-1)).toBe(' and 400 more');
  });
});
