// Builds src/ into dist/: TypeScript to JavaScript, other files copied as they are, entries made executable.
// Plain JavaScript without dependencies, because it runs before anything is built and on any Node from 20 on.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const src = join(root, 'src');
const dist = join(root, 'dist');
const buildInfo = join(root, 'node_modules/.cache/spawn/build.tsbuildinfo');
const typesInfo = join(root, 'node_modules/.cache/spawn/types.tsbuildinfo');
const tsc = join(root, 'node_modules/typescript/bin/tsc');

const isSource = (path) => path.endsWith('.ts');
const isTest = (path) => path.endsWith('.test.ts');

function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1));
}

const sources = filesBelow(src).filter((path) => !isTest(path));
const outputs = (path) => {
  if (!isSource(path)) return [path];
  const stem = path.slice(0, -'.ts'.length);
  return [`${stem}.js`, `${stem}.js.map`, `${stem}.d.ts`];
};

// What no source makes any more must go, or a removed file would still be found by an import.
const expected = new Set(sources.flatMap(outputs));
for (const path of filesBelow(dist)) {
  if (!expected.has(path)) rmSync(join(dist, path));
}

// The compiler writes only what changed since its record, so the record is worthless once an output is missing.
const complete = sources.filter(isSource).every((path) => existsSync(join(dist, outputs(path)[0])));
if (!complete) rmSync(buildInfo, { force: true });
// Types are written for what users import, and for what those files mention.
if (!existsSync(join(dist, 'index.d.ts'))) rmSync(typesInfo, { force: true });

let status = 0;
for (const project of ['tsconfig.build.json', 'tsconfig.types.json']) {
  const compiled = spawnSync(process.execPath, [tsc, '-p', join(root, project)], { stdio: 'inherit' });
  if (compiled.error) throw compiled.error;
  status ||= compiled.status ?? 1;
}

for (const path of sources.filter((path) => !isSource(path))) {
  const to = join(dist, path);
  const from = join(src, path);
  if (existsSync(to) && statSync(to).mtimeMs >= statSync(from).mtimeMs) continue;
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

for (const path of filesBelow(join(dist, 'bin')).filter((path) => path.endsWith('.js'))) {
  chmodSync(join(dist, 'bin', path), 0o755);
}

// Node takes `--env-file` for its own wherever it stands on a command line, unless "--" comes first (nodejs/node issue 54232): `spawn` has an
// option of that name. So its first line is for the shell, and its second a statement that does nothing in JavaScript.
const entry = join(dist, 'bin/spawn.js');
const program = existsSync(entry) ? readFileSync(entry, 'utf8') : '';
if (program.startsWith('#!/usr/bin/env node\n')) {
  const [, ...rest] = program.split('\n');
  writeFileSync(entry, ['#!/bin/sh', `':' //; exec node -- "$0" "$@"`, ...rest].join('\n'));
}

process.exitCode = status;
