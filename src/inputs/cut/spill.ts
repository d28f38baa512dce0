import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** A private file for what does not fit into memory; it has no name any more once it is open, so nothing is left behind. */
export class Spill {
  readonly #file: number;
  #length = 0;

  constructor(directory: string) {
    const path = join(directory, `spawn-plan-${randomUUID()}`);
    this.#file = openSync(path, 'wx+', 0o600);
    rmSync(path);
  }

  /** Gives the place of the bytes. */
  add(bytes: Uint8Array): number {
    const at = this.#length;
    for (let written = 0; written < bytes.length; )
      written += writeSync(this.#file, bytes, written, bytes.length - written, at + written);
    this.#length += bytes.length;
    return at;
  }

  read(at: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let read = 0; read < length; ) {
      const more = readSync(this.#file, bytes, read, length - read, at + read);
      if (more === 0) throw new RangeError('a spilled piece ends early');
      read += more;
    }
    return bytes;
  }

  close(): void {
    closeSync(this.#file);
  }
}
