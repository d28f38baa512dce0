import { posix } from 'node:path';
import { blank, exportedNames, importsOf } from './source-text.ts';

/** Source files by path from the repository's root, `src/core/task.ts`, with their text. */
export type Sources = ReadonlyMap<string, string>;

/**
 * What each part of src/ may import besides itself: folders and single files. Built-in modules are allowed unless `pure`. Type imports count: a part that must not know another must not know its types.
 */
interface Wall {
  readonly parts: readonly string[];
  readonly pure?: true;
  /** Parts of which only types may be taken, so that their weight is not loaded. */
  readonly typesOnly?: readonly string[];
}

const PORTS = ['store/store.ts', 'objects/log-reader.ts', 'providers/provider.ts', 'dns/dns.ts', 'notify/notify.ts'];
const UNDER_COMPOSE = [
  'core',
  'api',
  'config',
  'inputs',
  'objects',
  'store',
  'providers',
  'dns',
  'notify',
  'coordinator',
];

const WALLS: Readonly<Record<string, Wall>> = {
  core: { parts: [], pure: true },
  api: { parts: ['core'], pure: true },
  config: { parts: ['core', 'api'] },
  inputs: { parts: ['core', 'api', 'objects'] },
  objects: { parts: ['core', 'api'] },
  store: { parts: ['core', 'api'] },
  providers: { parts: ['core', 'api'] },
  dns: { parts: ['core', 'api'] },
  notify: { parts: ['core', 'api', 'objects/secrets.ts'] },
  coordinator: { parts: ['core', 'api', ...PORTS] },
  client: { parts: ['core', 'api'], typesOnly: ['api'] },
  server: { parts: ['core', 'api', 'coordinator', 'store/store.ts'] },
  worker: { parts: ['core', 'api', 'client', 'inputs', 'objects', 'providers/provider.ts'] },
  dashboard: { parts: ['core', 'api', 'client'], pure: true },
  cli: { parts: ['core', 'api', 'config', 'inputs', 'client'] },
  'index.ts': { parts: ['core', 'api', 'config', 'client', 'cli/connect.ts'] },
  compose: { parts: [...UNDER_COMPOSE, 'client', 'server'] },
  bin: { parts: [...UNDER_COMPOSE, 'client', 'server', 'worker', 'dashboard', 'cli', 'compose'] },
};

/** The one folder that may import each npm package; one that is not here may be imported by one part only. */
const HOMES: Readonly<Record<string, string>> = {
  'better-sqlite3': 'src/store/sqlite/',
  pg: 'src/store/postgres/',
  zod: 'src/api/',
  fastify: 'src/server/',
  '@fastify/swagger': 'src/server/',
  'fastify-type-provider-zod': 'src/server/',
  yaml: 'src/config/',
  'csv-parse': 'src/config/',
  'dns-packet': 'src/dns/',
  '@aws-sdk/client-s3': 'src/objects/s3/',
};

const FORBIDDEN_NAMES = [
  'orchestrator',
  'manager',
  'service',
  'engine',
  'handler',
  'helper',
  'util',
  'common',
  'executor',
  'processor',
];
/** The words of the user's own functions. */
const ABOUT_USERS_CODE: ReadonlySet<string> = new Set(['src/client/handler.ts']);
/** What it loads is named by the user. */
const LOADS_USERS_CODE: ReadonlySet<string> = new Set(['src/worker/hosts/inside/load-function.ts']);
const IMPURE =
  /(?<![\w$])(?:Date\.now|new Date\(\)|Math\.random|performance|process|console|setTimeout|setInterval|globalThis)(?![\w$])/g;
const MOST_LINES = 300;

/** `src/core/task.ts` -> `core`; `src/index.ts` -> `index.ts`. */
function partOf(path: string): string {
  return path.split('/')[1] ?? '';
}

/** The file in src/ that an import means, or undefined for npm packages and built-in modules. */
function target(path: string, from: string): string | undefined {
  if (from.startsWith('.')) return posix.join(posix.dirname(path), from);
  if (from.startsWith('#src/')) return from.slice(1);
  return undefined;
}

function packageOf(from: string): string {
  return from
    .split('/')
    .slice(0, from.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Every import that goes through a wall. */
export function brokenWalls(sources: Sources): string[] {
  return [...sources].flatMap(([path, text]) => {
    const part = partOf(path);
    const wall = WALLS[part];
    if (wall === undefined) return [`${path}: "${part}" is no part of src/; name it in WALLS`];
    return importsOf(text).flatMap(({ from, isType, line }) => {
      const why = whyNot(path, part, wall, from, isType);
      return why === undefined ? [] : [`${path}:${line}: ${why}`];
    });
  });
}

function whyNot(path: string, part: string, wall: Wall, from: string, isType: boolean): string | undefined {
  if (from === '(computed)' && LOADS_USERS_CODE.has(path)) return undefined;
  if (from === '(computed)') return 'imports a computed name, which cannot be checked';
  const file = target(path, from);
  if (file === undefined) return whyNotModule(path, part, wall, from);
  if (!file.startsWith('src/')) return `imports ${file}, which is outside src/`;
  const other = partOf(file);
  if (other === part) return undefined;
  if (!wall.parts.includes(other) && !wall.parts.includes(file.slice('src/'.length)))
    return `${part} must not import ${file}`;
  if (!isType && wall.typesOnly?.includes(other)) return `${part} may take only types from ${file} (import type)`;
  return undefined;
}

function whyNotModule(path: string, part: string, wall: Wall, from: string): string | undefined {
  if (from.startsWith('node:')) {
    const browserSafe = part === 'client' && !path.startsWith('src/client/node/');
    return wall.pure || browserSafe ? `${part} must not import ${from}` : undefined;
  }
  const name = packageOf(from);
  if (part === 'core') return `core must not import ${name}`;
  const home = HOMES[name];
  return home === undefined || path.startsWith(home) ? undefined : `${name} is imported only in ${home}`;
}

/** npm packages that more than one part imports. */
export function sharedPackages(sources: Sources): string[] {
  const users = new Map<string, Set<string>>();
  for (const [path, text] of sources) {
    for (const { from } of importsOf(text)) {
      if (target(path, from) !== undefined || from.startsWith('node:') || from === '(computed)') continue;
      const parts = users.get(packageOf(from)) ?? new Set();
      users.set(packageOf(from), parts.add(partOf(path)));
    }
  }
  return [...users].flatMap(([name, parts]) =>
    parts.size > 1 ? [`${name} is imported in ${[...parts].toSorted().join(' and ')}; one folder may`] : [],
  );
}

/** One import cycle between files, as the files on it, for each cycle found. */
export function cycles(sources: Sources): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) found.push([...trail.slice(start), path].join(' -> '));
    if (start >= 0 || done.has(path)) return;
    for (const { from } of importsOf(sources.get(path) ?? '')) {
      const next = target(path, from);
      if (next !== undefined && sources.has(next)) visit(next, [...trail, path]);
    }
    done.add(path);
  };
  for (const path of sources.keys()) visit(path, []);
  return found;
}

/** What a person waits for, and the npm packages that are loaded before it does anything. */
export function heavyStarts(sources: Sources): string[] {
  const starts = [...sources.keys()].filter((path) =>
    /^src\/(bin\/[a-z]+|cli\/main|cli\/(?:commands|slurm)\/(?:[^/]+\/)?(?:[^/.]|\.(?!test))+)\.ts$/.test(path),
  );
  return starts.flatMap((start) =>
    [...loadedWith(start, sources)].map(([name, path]) => `${start} loads ${name}, imported in ${path}`),
  );
}

/** The npm packages that are loaded with a file, each with a file that imports it. */
function loadedWith(start: string, sources: Sources): Map<string, string> {
  const packages = new Map<string, string>();
  const files = new Set([start]);
  for (const path of files) {
    for (const { from, isType, isDynamic } of importsOf(sources.get(path) ?? '')) {
      if (isType || isDynamic || from.startsWith('node:')) continue;
      const file = target(path, from);
      if (file !== undefined) files.add(file);
      else packages.set(packageOf(from), path);
    }
  }
  return packages;
}

/** Words in core that read a clock, chance or the process. */
export function impureCore(sources: Sources): string[] {
  return [...sources].flatMap(([path, text]) => {
    if (partOf(path) !== 'core') return [];
    return [...blank(text).code.matchAll(IMPURE)].map((match) => `${path}: core mentions ${match[0]}`);
  });
}

/** Export forms that hide what a file gives. */
export function hiddenExports(sources: Sources): string[] {
  return [...sources].flatMap(([path, text]) => {
    const { code } = blank(text);
    return [
      ...(/\bexport\s*(?:type\s*)?\*/.test(code) ? [`${path}: export *`] : []),
      ...(/\bexport\s+default\b|\bas\s+default\b/.test(code) ? [`${path}: default export`] : []),
    ];
  });
}

/** File names and exported names that contain a word which says nothing. */
export function emptyNames(sources: Sources): string[] {
  return [...sources].flatMap(([path, text]) => {
    if (ABOUT_USERS_CODE.has(path)) return [];
    const names = [path.slice('src/'.length), ...exportedNames(text)];
    return names
      .filter((name) => words(name).some((word) => FORBIDDEN_NAMES.includes(word)))
      .map((name) => `${path}: ${name}`);
  });
}

function words(name: string): string[] {
  return name
    .split(/[^A-Za-z]+|(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/)
    .map((word) => word.toLowerCase().replace(/ies$/, 'y').replace(/s$/, ''));
}

/** File names that are not kebab-case. */
export function unusualFileNames(sources: Sources): string[] {
  return [...sources.keys()].filter((path) => !/^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(posix.basename(path)));
}

/** Files of more lines than one reads at once. */
export function longFiles(sources: Sources): string[] {
  return [...sources].flatMap(([path, text]) => {
    const lines = text.trimEnd().split('\n').length;
    return lines > MOST_LINES ? [`${path}: ${lines} lines, at most ${MOST_LINES}`] : [];
  });
}
