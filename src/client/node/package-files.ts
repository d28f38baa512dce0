import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** This file lies three folders below the package's root, in `src/` and in `dist/` alike. */
const packageRoot = new URL('../../../', import.meta.url);

/** A program of this package as it was built. Source code that is run or tested as it is starts the built programs too. */
export function builtProgram(name: 'keeper' | 'server' | 'spawn' | 'spored'): string {
  return fileURLToPath(new URL(`dist/bin/${name}.js`, packageRoot));
}

/** A program in C, where it was built for this platform. */
export function nativeProgram(name: 'instance'): string {
  return fileURLToPath(new URL(`native/bin/${name}-${process.platform}-${process.arch}`, packageRoot));
}

export function packageVersion(): string {
  return JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8')).version;
}
