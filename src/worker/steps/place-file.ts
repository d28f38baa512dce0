import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the host of a member's steps is told by its worker, in a file that its user alone may read. */
export interface PlaceFile {
  readonly fence: number;
  /** In hex. */
  readonly secret: string;
  /** Where it listens. */
  readonly address: string;
  /** Of this worker, over what srun sends: marks of the session, and its devices. */
  readonly env: Readonly<Record<string, string>>;
}

export function placePath(folder: string): string {
  return join(folder, 'place.json');
}

/** Where the host writes its port once it listens. */
export function portPath(folder: string): string {
  return join(folder, 'port');
}

/** Whole or not at all. */
export function writePrivate(path: string, text: string): void {
  writeFileSync(`${path}.tmp`, text, { mode: 0o600 });
  renameSync(`${path}.tmp`, path);
}

/** @throws Error when it is not there */
export function readPlace(folder: string): PlaceFile {
  return JSON.parse(readFileSync(placePath(folder), 'utf8')) as PlaceFile;
}
