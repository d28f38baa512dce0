// Compiles the native forker into native/bin/forker-<platform>-<arch>. Where it cannot, one line says so and the install
// goes on: the worker then starts tasks through Node. Plain JavaScript without dependencies, for any Node from 20 on.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const native = dirname(fileURLToPath(import.meta.url));
const folder = join(native, 'forker');
const output = join(native, 'bin', `forker-${process.platform}-${process.arch}`);
const flags = [
  '-std=c11',
  '-O2',
  '-Wall',
  '-Wextra',
  '-Werror=implicit-function-declaration',
  '-Werror=incompatible-pointer-types',
  '-Werror=int-conversion',
  '-Werror=format',
  '-fstack-protector-strong',
  '-U_FORTIFY_SOURCE',
  '-D_FORTIFY_SOURCE=2',
];

function build() {
  if (process.platform !== 'linux') return `no native forker for ${process.platform}; tasks are started through Node`;
  const files = readdirSync(folder);
  const newest = Math.max(
    ...files.map((file) => statSync(join(folder, file)).mtimeMs),
    statSync(fileURLToPath(import.meta.url)).mtimeMs,
  );
  if (existsSync(output) && statSync(output).mtimeMs >= newest) return null;
  mkdirSync(dirname(output), { recursive: true });
  const sources = files.filter((file) => file.endsWith('.c')).map((file) => join(folder, file));
  // Compiled beside it and renamed, so that a forker that runs, or a build at the same time, never sees half a file.
  const fresh = `${output}.${process.pid}.tmp`;
  const compiler = process.env.CC || 'cc';
  const compiled = spawnSync(compiler, [...flags, '-o', fresh, ...sources, '-lrt'], { encoding: 'utf8' });
  if (compiled.error) return `no C compiler (${compiler}); tasks are started through Node, more slowly`;
  if (compiled.status !== 0) {
    rmSync(fresh, { force: true });
    const why = compiled.stderr.split('\n').find((line) => line.includes('error')) ?? `${compiler} failed`;
    return `the native forker did not compile (${why.trim()}); tasks are started through Node, more slowly`;
  }
  renameSync(fresh, output);
  return null;
}

const message = build();
if (message !== null) console.log(`spawn: ${message}`);
