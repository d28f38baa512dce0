import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What the package needs where it is installed, and what its types mention. */
const BESIDE = [
  'zod',
  'fastify',
  'fastify-type-provider-zod',
  '@fastify/swagger',
  'pino',
  'better-sqlite3',
  '@types/node',
  'undici-types',
];

/** A folder outside the repository where the built package is installed, from what `npm pack` puts into it. */
export function installPacked(): string {
  const folder = mkdtempSync(join(tmpdir(), 'spawn-packed-'));
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {
    cwd: root,
  });
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, 'spawn'), { recursive: true });
  const archive = join(folder, packed.toString().trim().split('\n').at(-1) ?? '');
  execFileSync('tar', ['xzf', archive, '-C', join(modules, 'spawn'), '--strip-components', '1']);
  for (const name of BESIDE) {
    mkdirSync(join(modules, name, '..'), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  return folder;
}

/** What the compiler says of programs in such a folder; nothing when their types are right. */
export function typeErrors(folder: string, files: readonly string[]): string {
  const flags = ['--noEmit', '--module', 'nodenext', '--target', 'es2024', '--strict', '--types', 'node'];
  try {
    execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...flags, ...files], {
      cwd: folder,
    });
    return '';
  } catch (error) {
    return String((error as { stdout?: Buffer }).stdout ?? error);
  }
}
