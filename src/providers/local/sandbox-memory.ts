import { appendFileSync, readFileSync } from 'node:fs';
import { writeWhole } from './sandbox-directory.ts';

/** From here on the file is written anew, with the last line only. */
const MOST_BYTES = 64 * 1024;

/**
 * What the agent keeps of one sandbox: a line for each state, of which the last whole one counts. To add a line costs a tenth of what a new
 * file in place of the old one does, and it is kept many times while an instance comes up.
 */
export class SandboxMemory {
  readonly #path: string;
  /** Unknown until the first write of this process: then the file begins anew. */
  #bytes = Number.POSITIVE_INFINITY;

  constructor(path: string) {
    this.#path = path;
  }

  /** Undefined when there is none. A line of which only a part is there was cut off: the one before it counts. */
  read(): string | undefined {
    return readLines(this.#path).findLast(isJson);
  }

  /** @param text JSON in one line */
  write(text: string): void {
    // A part of a line that a full disk has left ends here.
    const line = `\n${text}\n`;
    const bytes = Buffer.byteLength(line);
    if (this.#bytes + bytes > MOST_BYTES) {
      writeWhole(this.#path, line);
      this.#bytes = bytes;
      return;
    }
    appendFileSync(this.#path, line, { mode: 0o600 });
    this.#bytes += bytes;
  }
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return [];
  }
}

function isJson(line: string): boolean {
  try {
    return line !== '' && JSON.parse(line) !== undefined;
  } catch {
    return false;
  }
}
