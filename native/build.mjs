// Compiles the native programs into native/bin/<name>-<platform>-<arch>. Where it cannot, one line says so and the install
// goes on: the worker then starts tasks through Node, and there are no local instances. Plain JavaScript without dependencies,
// for any Node from 20 on.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const native = dirname(fileURLToPath(import.meta.url));
const { version } = JSON.parse(readFileSync(join(native, '../package.json'), 'utf8'));
const flags = [
  `-DSPAWN_VERSION="${version}"`,
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

const programs = [
  { name: 'forker', also: [], headers: [], without: 'tasks are started through Node, more slowly' },
  {
    name: 'instance',
    // What finds the group in which groups may be made; the rest of the forker is not needed.
    also: ['forker/cgroup-home.c'],
    headers: ['forker/forker.h', 'forker/memory-limit.h', 'forker/bytes.h', 'forker/protocol.h'],
    without: 'local instances cannot be started',
  },
];

/** Why a program is not there; undefined when it is. */
function build({ name, also, headers, without }) {
  if (process.platform !== 'linux') return `no native ${name} for ${process.platform}; ${without}`;
  const folder = join(native, name);
  const own = readdirSync(folder).map((file) => join(folder, file));
  const others = also.map((file) => join(native, file));
  const output = join(native, 'bin', `${name}-${process.platform}-${process.arch}`);
  const needed = [...own, ...others, ...headers.map((file) => join(native, file)), fileURLToPath(import.meta.url)];
  const newest = Math.max(...needed.map((file) => statSync(file).mtimeMs));
  if (existsSync(output) && statSync(output).mtimeMs >= newest) return undefined;
  mkdirSync(dirname(output), { recursive: true });
  const sources = [...own.filter((file) => file.endsWith('.c')), ...others];
  // Compiled beside it and renamed, so that a program that runs, or a build at the same time, never sees half a file.
  const fresh = `${output}.${process.pid}.tmp`;
  const compiler = process.env.CC || 'cc';
  const compiled = spawnSync(compiler, [...flags, '-o', fresh, ...sources, '-lrt'], { encoding: 'utf8' });
  if (compiled.error) return `no C compiler (${compiler}) for the native ${name}; ${without}`;
  if (compiled.status !== 0) {
    rmSync(fresh, { force: true });
    const why =
      compiled.stderr.split('\n').find((line) => /error|undefined reference/.test(line)) ?? `${compiler} failed`;
    return `the native ${name} did not compile (${why.trim()}); ${without}`;
  }
  renameSync(fresh, output);
  return undefined;
}

for (const program of programs) {
  const why = build(program);
  if (why !== undefined) console.log(`spawn: ${why}`);
}
