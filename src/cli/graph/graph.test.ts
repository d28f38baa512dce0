import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dotText } from './dot.ts';
import { drawGraph } from './draw.ts';
import { layOut } from './lay-out.ts';
import { type Graph, graphOfKeys } from './model.ts';

const PIPELINE = graphOfKeys([
  { key: 'report', after: 'afterok:@small,afterok:@large' },
  { key: 'fetch', after: undefined },
  { key: 'small', after: 'aftercorr:@clean' },
  { key: 'large', after: 'aftercorr:@clean' },
  { key: 'clean', after: 'afterok:@fetch' },
  { key: 'rescue', after: 'afternotok:@clean_[1-3]?afterany:7?afterok:older' },
]);

const draw = (graph: Graph, style: Partial<Parameters<typeof drawGraph>[1]> = {}) =>
  drawGraph(graph, { colour: false, width: 100, ascii: false, ...style });

describe('a drawing', () => {
  test('has each job under what it waits for, and lines between them', () => {
    expect(`\n${draw(PIPELINE)}`).toBe(`
2  fetch                         ──╮
5  clean   afterok:2             ◀─┴─┬─╮
6  rescue  afternotok:5_[1-3]    ◀───╯ │
3  small   aftercorr:5           ◀─┬───┤
4  large   aftercorr:5           ◀─┼───╯
1  report  afterok:3, afterok:4  ◀─╯
`);
  });
});

/** Graphs without cycles: each job waits for some before it, in any order of their numbers. */
const graphs = fc
  .integer({ min: 1, max: 30 })
  .chain((count) =>
    fc.tuple(
      fc.array(fc.array(fc.nat({ max: 1_000 }), { maxLength: 4 }), { minLength: count, maxLength: count }),
      fc.shuffledSubarray(
        Array.from({ length: count }, (_, n) => n + 1),
        { minLength: count },
      ),
    ),
  )
  .map(([needs, ids]): Graph => {
    const links = needs.flatMap((all, n) =>
      n === 0
        ? []
        : [...new Set(all.map((one) => one % n))].map((one) => ({
            from: ids[one]!,
            to: ids[n]!,
            type: one % 2 === 0 ? ('afterok' as const) : ('afterany' as const),
          })),
    );
    return { jobs: ids.toSorted((a, b) => a - b).map((id) => ({ id, label: `j${id}` })), links, cut: false };
  });

test('whatever the graph: order, lines and lanes are right', () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const { rows, buses } = layOut(graph);
      const rowOf = new Map(rows.map(({ id }, row) => [id, row]));
      expect(rowOf.size).toBe(graph.jobs.length);
      const drawn = buses.flatMap(({ type, sources, targets }) =>
        sources.flatMap((from) => targets.map((to) => `${type} ${from} ${to}`)),
      );
      const asked = graph.links.map(({ type, from, to }) => `${type} ${rowOf.get(from)} ${rowOf.get(to)}`);
      expect(drawn.toSorted()).toEqual(asked.toSorted());
      for (const { from, to } of graph.links) expect(rowOf.get(from)!).toBeLessThan(rowOf.get(to)!);
      for (const one of buses) {
        for (const other of buses) {
          if (one === other || one.lane !== other.lane) continue;
          expect(one.targets.at(-1)! < other.sources[0]! || other.targets.at(-1)! < one.sources[0]!).toBe(true);
        }
      }
      for (const width of [40, 80]) {
        const lines = draw(graph, { width }).trimEnd().split('\n');
        expect(lines.length).toBeGreaterThanOrEqual(rows.length);
      }
    }),
  );
});

test('a fan of a hundred is one line out and one line in', () => {
  const fan = graphOfKeys([
    { key: 'first', after: undefined },
    ...Array.from({ length: 100 }, (_, n) => ({ key: `work-${n}`, after: 'afterok:@first' })),
    { key: 'last', after: Array.from({ length: 100 }, (_, n) => `afterok:@work-${n}`).join() },
  ]);
  expect(layOut(fan).lanes).toBe(2);
  const lines = draw(fan, { width: 80 }).trimEnd().split('\n');
  expect(lines).toHaveLength(102);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
});

test('a chain of five thousand is drawn', () => {
  const chain = graphOfKeys(
    Array.from({ length: 5_000 }, (_, n) => ({ key: `j${n}`, after: n === 4_999 ? undefined : `afterok:@j${n + 1}` })),
  );
  const lines = draw(chain).trimEnd().split('\n');
  expect([lines.length, lines[0], lines.at(-1)]).toEqual([
    5_000,
    expect.stringContaining('j4999'),
    expect.stringContaining('j0 '),
  ]);
});

test('lines that find no room are counted, and the names stay', () => {
  const many = graphOfKeys(
    Array.from({ length: 40 }, (_, n) => ({ key: `j${n}`, after: n < 20 ? undefined : `afterok:@j${n - 20}` })),
  );
  const text = draw(many, { width: 40 });
  expect(text).toMatch(/\(\d+ lines not drawn: there is no room; the names tell\)\n$/);
  expect(text).toContain('afterok:20');
  expect(
    Math.max(
      ...text
        .split('\n')
        .slice(0, 40)
        .map((line) => line.length),
    ),
  ).toBeLessThanOrEqual(40);
});

test('states have a word, a sign and a colour', () => {
  const graph: Graph = {
    jobs: [
      { id: 7, label: 'a', state: 'failed', tasks: 1_000, completed: 990 },
      { id: 8, label: 'b'.repeat(60), state: 'skipped', tasks: 1, completed: 0 },
    ],
    links: [{ from: 7, to: 8, type: 'afterok' }],
    cut: true,
  };
  const text = draw(graph, { colour: true });
  expect(text).toContain('\u001b[31m✘ failed ');
  expect(text).toContain('990/1,000');
  expect(text).toContain(`${'b'.repeat(31)}…`);
  expect(text).toContain('(only 2 jobs are shown)');
  expect(draw(graph, { ascii: true })).toMatch(/^[\x20-\x7e\n]*$/);
});

test('for Graphviz', () => {
  expect(
    dotText({
      ...PIPELINE,
      jobs: [...PIPELINE.jobs, { id: 9, label: 'a "b"', state: 'running', tasks: 3, completed: 1 }],
    }),
  ).toBe(`digraph jobs {
  node [shape=box];
  1 [label="1 report"];
  2 [label="2 fetch"];
  3 [label="3 small"];
  4 [label="4 large"];
  5 [label="5 clean"];
  6 [label="6 rescue"];
  9 [label="9 a \\"b\\"\\nrunning 1/3", style=filled, fillcolor=lightcyan];
  3 -> 1 [label="afterok"];
  4 -> 1 [label="afterok"];
  5 -> 3 [label="aftercorr"];
  5 -> 4 [label="aftercorr"];
  2 -> 5 [label="afterok"];
  5 -> 6 [label="afternotok [1-3]", style=dashed];
}
`);
});
