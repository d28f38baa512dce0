// Every entry passes here first. This file and the entries must be read and run by a Node as old as 20, so they use
// nothing newer, and import nothing but what is built in: better-sqlite3 kills an old Node without a message.
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const NEEDED = { major: 22, minor: 18 };
const packageRoot = new URL('../../', import.meta.url);

/** A program of this package: takes the arguments after its name, gives its exit code. */
export type Program = (argv: string[]) => Promise<number>;

/** Whether a version such as `22.18.0` (`process.versions.node`) is one that this package runs on. */
export function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > NEEDED.major || (major === NEEDED.major && minor >= NEEDED.minor);
}

/**
 * Runs a program of this package, on a Node that is new enough.
 *
 * `--version` alone is answered at once, on any Node. On a Node before 22.18 the one that this repository brings runs
 * the same command line instead; where there is none, one line says so and the exit code is that of `NODE_TOO_OLD`.
 */
export async function enter(load: () => Promise<Program>): Promise<void> {
  const argv = process.argv.slice(2);
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    process.stdout.write(`${packageVersion()}\n`);
    return;
  }
  if (!isNewEnough(process.versions.node)) {
    await enterOnOwnNode();
    return;
  }
  keepCompiledCode();
  const program = await load();
  process.exitCode = await program(argv);
}

function packageVersion(): string {
  return JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8')).version;
}

async function enterOnOwnNode(): Promise<void> {
  const ownNode = findOwnNode();
  if (ownNode === undefined) {
    const { SpawnError } = await import('../core/errors.ts');
    const error = new SpawnError('NODE_TOO_OLD', {
      expected: `${NEEDED.major}.${NEEDED.minor}`,
      found: `${process.version} (${process.execPath})`,
      advice: `Put a newer one first in PATH, or run \`npm ci\` in ${fileURLToPath(packageRoot)}, which brings its own.`,
    });
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error.exitCode;
    return;
  }
  const { runInstead } = await import('./run-instead.ts');
  // After "--" Node takes no option for its own.
  await runInstead(ownNode, ['--', ...process.argv.slice(1)]);
}

/** In the repository the package `node` is inside; in an installed package it may lie beside. */
function findOwnNode(): string | undefined {
  const places = ['node_modules/node/bin/node', '../node/bin/node'];
  const found = places.map((place) => fileURLToPath(new URL(place, packageRoot))).find((path) => existsSync(path));
  // One that is itself too old would find itself again, for ever.
  return found === undefined || realpathSync(found) === realpathSync(process.execPath) ? undefined : found;
}

/**
 * Keeps V8's compiled code between runs, for a faster start. In the user's own cache folder: Node's default lies in the
 * shared temporary folder, where another user could plant code.
 */
function keepCompiledCode(): void {
  const home = process.env.HOME;
  const cache = process.env.XDG_CACHE_HOME || (home && `${home}/.cache`);
  if (cache) module.enableCompileCache?.(`${cache}/spawn/node`);
}
