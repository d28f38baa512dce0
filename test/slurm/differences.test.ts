import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseScenarios, readTopic, topics } from './read-scenarios.ts';

const page = readFileSync(fileURLToPath(new URL('../../docs/slurm.md', import.meta.url)), 'utf8');
const listed = [...page.matchAll(/^\| (D\d+) \|/gm)].map(([, id]) => id!);
const scenarios = topics().flatMap(readTopic);

test('docs/slurm.md lists at most ten differences, each once', () => {
  expect(listed.length).toBeGreaterThan(0);
  expect(listed.length).toBeLessThanOrEqual(10);
  expect(new Set(listed).size).toBe(listed.length);
});

test('scenarios name differences of the list, and each of the list is shown by a scenario', () => {
  const used = scenarios.flatMap(({ differences }) => differences.map(({ id }) => id));
  expect([...new Set(used)].sort()).toEqual([...listed].sort());
});

test('there are enough scenarios, each with an id of its own and at least one step', () => {
  expect(scenarios.length).toBeGreaterThanOrEqual(60);
  expect(new Set(scenarios.map(({ id }) => id)).size).toBe(scenarios.length);
  expect(scenarios.filter(({ lines }) => !/^(?!q )\S/m.test(lines)).map(({ id }) => id)).toEqual([]);
});

test('a scenario reads as it is written', () => {
  const [read] = parseScenarios(
    '# about\n== a-b: a title\n@root\n# why\nq x=1\necho a\n@normalise s/[ab]\\/c/X/\n@differs D1\n-one\n+two\n',
    'topic',
  );
  expect(read).toEqual({
    id: 'a-b',
    title: 'a title',
    lines: 'q x=1\necho a',
    normalise: [[/[ab]\/c/gm, 'X']],
    differences: [{ id: 'D1', real: 'one', spawn: 'two' }],
    alone: false,
    root: true,
  });
});

test.each([
  ['== A: b\n', 'expected `== id: title`'],
  ['== a: b\n@nosuch\n', 'expected a known word, found @nosuch'],
  ['== a: b\n@normalise x\n', 'expected s/PATTERN/INSTEAD/, found x'],
  ['== a: b\n@differs D1\n', 'expected what differs (D1), found 0 lines'],
])('refuses %j', (text, message) => {
  expect(() => parseScenarios(text, 'topic')).toThrow(message);
});
