import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import * as rules from './walls.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

function read(folders: readonly string[], accept: (path: string) => boolean): rules.Sources {
  const paths = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
  );
  return new Map(paths.filter(accept).map((path) => [path, readFileSync(join(root, path), 'utf8')]));
}

const sources = read(['src'], (path) => path.endsWith('.ts') && !path.endsWith('.test.ts'));
const everything = read(
  ['src', 'test', 'bench', 'examples', 'scripts'],
  (path) => /\.(ts|mjs)$/.test(path) && !path.includes('/node_modules/'),
);

test('there is source to check', () => {
  expect(sources.size).toBeGreaterThan(3);
});

describe('the source', () => {
  test.each([
    ['respects the walls', rules.brokenWalls, sources],
    ['imports each package in one part', rules.sharedPackages, sources],
    ['has no import cycle', rules.cycles, sources],
    ['starts light', rules.heavyStarts, sources],
    ['keeps clock, chance and process out of core', rules.impureCore, sources],
    ['says what each file exports', rules.hiddenExports, sources],
    ['has no empty names', rules.emptyNames, sources],
    ['has kebab-case file names', rules.unusualFileNames, everything],
    ['has no file too long to read', rules.longFiles, everything],
  ])('%s', (_, rule, files) => {
    expect(rule(files)).toEqual([]);
  });
});

/** Each rule, the smallest source that breaks it, and what it says. */
const planted: [string, (sources: rules.Sources) => string[], Record<string, string>, string[]][] = [
  [
    'a static import',
    rules.brokenWalls,
    { 'src/core/a.ts': "\nimport { x } from '../store/b.ts';" },
    ['src/core/a.ts:2: core must not import src/store/b.ts'],
  ],
  [
    'a type import over several lines',
    rules.brokenWalls,
    { 'src/api/a.ts': "import type {\n  X,\n} from '../server/b.ts';" },
    ['src/api/a.ts:3: api must not import src/server/b.ts'],
  ],
  [
    'a dynamic import',
    rules.brokenWalls,
    { 'src/cli/a.ts': "const b = await import('../server/b.ts');" },
    ['src/cli/a.ts:1: cli must not import src/server/b.ts'],
  ],
  [
    'a type expression',
    rules.brokenWalls,
    { 'src/worker/a.ts': "type B = import('../coordinator/b.ts').B;" },
    ['src/worker/a.ts:1: worker must not import src/coordinator/b.ts'],
  ],
  [
    'a re-export',
    rules.brokenWalls,
    { 'src/config/a.ts': "export { b } from '../store/b.ts';" },
    ['src/config/a.ts:1: config must not import src/store/b.ts'],
  ],
  [
    'an import that a template comes before',
    rules.brokenWalls,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the sample is source text
    { 'src/core/a.ts': "const t = `a ${{ b: '}' }} // `; const r = /['\"`]/;\nimport '../api/b.ts';" },
    ['src/core/a.ts:2: core must not import src/api/b.ts'],
  ],
  [
    'an import through the package map',
    rules.brokenWalls,
    { 'src/core/a.ts': "import '#src/api/b.ts';" },
    ['src/core/a.ts:1: core must not import src/api/b.ts'],
  ],
  [
    'a built-in module in core',
    rules.brokenWalls,
    { 'src/core/a.ts': "import fs from 'node:fs';" },
    ['src/core/a.ts:1: core must not import node:fs'],
  ],
  [
    'a package in core',
    rules.brokenWalls,
    { 'src/core/a.ts': "import { z } from 'zod';" },
    ['src/core/a.ts:1: core must not import zod'],
  ],
  [
    'a file that is no port',
    rules.brokenWalls,
    { 'src/coordinator/a.ts': "import '../store/store.ts';\nimport '../store/sqlite/open.ts';" },
    ['src/coordinator/a.ts:2: coordinator must not import src/store/sqlite/open.ts'],
  ],
  [
    'weight where only types are allowed',
    rules.brokenWalls,
    { 'src/client/a.ts': "import { type X, y } from '../api/b.ts';\nimport { type Z } from '../api/b.ts';" },
    ['src/client/a.ts:1: client may take only types from src/api/b.ts (import type)'],
  ],
  [
    'a built-in module in the browser-safe client',
    rules.brokenWalls,
    { 'src/client/a.ts': "import 'node:net';", 'src/client/node/a.ts': "import 'node:net';" },
    ['src/client/a.ts:1: client must not import node:net'],
  ],
  [
    'a database outside its folder',
    rules.brokenWalls,
    { 'src/store/a.ts': "import Database from 'better-sqlite3';" },
    ['src/store/a.ts:1: better-sqlite3 is imported only in src/store/sqlite/'],
  ],
  [
    'a computed import',
    rules.brokenWalls,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the sample is source text
    { 'src/cli/a.ts': 'await import(`./${name}.ts`);' },
    ['src/cli/a.ts:1: imports a computed name, which cannot be checked'],
  ],
  [
    'an unknown part',
    rules.brokenWalls,
    { 'src/misc/a.ts': '' },
    ['src/misc/a.ts: "misc" is no part of src/; name it in WALLS'],
  ],
  [
    'a package in two parts',
    rules.sharedPackages,
    { 'src/server/a.ts': "import pino from 'pino';", 'src/worker/a.ts': "import type { Logger } from 'pino';" },
    ['pino is imported in server and worker; one folder may'],
  ],
  [
    'a cycle',
    rules.cycles,
    {
      'src/core/a.ts': "import './b.ts';",
      'src/core/b.ts': "import type { C } from './c.ts';",
      'src/core/c.ts': "import './b.ts';",
    },
    ['src/core/b.ts -> src/core/c.ts -> src/core/b.ts'],
  ],
  [
    'weight at the start',
    rules.heavyStarts,
    {
      'src/bin/spawn.ts': "await import('../cli/main.ts');",
      'src/cli/main.ts': "import '../api/a.ts';\nimport type { S } from '../api/b.ts';",
      'src/api/a.ts': "import './b.ts';",
      'src/api/b.ts': "import { z } from 'zod';",
    },
    ['src/cli/main.ts loads zod, imported in src/api/b.ts'],
  ],
  [
    'a clock in core',
    rules.impureCore,
    { 'src/core/a.ts': "// Date.now() is fine here\nconst s = 'process';\nconst d = new Date();" },
    ['src/core/a.ts: core mentions new Date()'],
  ],
  ['export *', rules.hiddenExports, { 'src/api/a.ts': "export * from './b.ts';" }, ['src/api/a.ts: export *']],
  ['a default export', rules.hiddenExports, { 'src/api/a.ts': 'export default 1;' }, ['src/api/a.ts: default export']],
  [
    'empty names',
    rules.emptyNames,
    { 'src/core/id-utils.ts': 'export function process() {}\nexport class JobManager {}\nexport { a as runHandler };' },
    ['src/core/id-utils.ts: core/id-utils.ts', 'src/core/id-utils.ts: JobManager', 'src/core/id-utils.ts: runHandler'],
  ],
  ['a file name', rules.unusualFileNames, { 'src/core/taskState.ts': '' }, ['src/core/taskState.ts']],
  [
    'a long file',
    rules.longFiles,
    { 'src/core/a.ts': 'x\n'.repeat(301), 'src/core/b.ts': 'x\n'.repeat(300) },
    ['src/core/a.ts: 301 lines, at most 300'],
  ],
];

describe('the check finds', () => {
  test.each(planted)('%s', (_, rule, files, found) => {
    expect(rule(new Map(Object.entries(files)))).toEqual(found);
  });

  test('nothing in comments and strings', () => {
    const text = "// import '../api/a.ts'\n/* export * from 'x' */ const s = \"import('../api/a.ts')\";";
    const files = new Map([['src/core/a.ts', text]]);
    expect([...rules.brokenWalls(files), ...rules.hiddenExports(files)]).toEqual([]);
  });
});
