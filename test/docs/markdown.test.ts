import { expect, test } from 'vitest';
import { anchors, headings, npmScripts, relativeLinks, scriptFiles } from './markdown.ts';

const page = `# A title

See [one](other.md#part), [two](../x/y.ts "why"), [web](https://example.org/a.md), [here](#a-title) and [ref].
In code \`[no](gone.md)\`.

\`\`\`sh
# not a heading, [no](gone.md)
npm run demo && npm test && bash .ci/run && node examples/a/run.mjs
\`\`\`

## States & \`codes\`

[ref]: deep/file.md
`;

test('finds the links that point into the repository', () => {
  expect(relativeLinks('docs/page.md', page).map(({ target, anchor }) => [target, anchor])).toEqual([
    ['docs/other.md', 'part'],
    ['x/y.ts', ''],
    ['docs/page.md', 'a-title'],
    ['docs/deep/file.md', ''],
  ]);
});

test('finds headings and their anchors, not comments in code', () => {
  expect(headings(page, 1)).toEqual(['A title']);
  expect(headings(page, 2)).toEqual(['States & `codes`']);
  expect(anchors(page)).toEqual(['a-title', 'states--codes']);
});

test('finds what a reader is told to run', () => {
  expect(npmScripts(page)).toEqual(['demo', 'test']);
  expect(scriptFiles(page)).toEqual(['.ci/run', 'examples/a/run.mjs']);
});
