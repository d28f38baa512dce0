import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ForkerKind } from './types.ts';

export interface ForkerProgram {
  readonly kind: ForkerKind;
  readonly command: string;
  readonly args: readonly string[];
}

function fromHere(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}

/** Where native/build.mjs puts the forker of this platform; the package root is three folders up in src and in dist. */
export function nativeForkerPath(): string {
  return fromHere(`../../../native/bin/forker-${process.platform}-${process.arch}`);
}

/** `native` where it was built, `node` elsewhere; `SPAWN_FORKER=native|node` in the environment decides before `wanted`. */
export function chooseForkerKind(wanted?: ForkerKind, env: NodeJS.ProcessEnv = process.env): ForkerKind {
  const forced = env.SPAWN_FORKER;
  if (forced === 'native' || forced === 'node') return forced;
  return wanted ?? (existsSync(nativeForkerPath()) ? 'native' : 'node');
}

export function forkerProgram(kind: ForkerKind): ForkerProgram {
  if (kind === 'native') return { kind, command: nativeForkerPath(), args: [] };
  const entry = fromHere(`../../bin/forker-fallback${extname(fileURLToPath(import.meta.url))}`);
  return { kind, command: process.execPath, args: [entry] };
}
