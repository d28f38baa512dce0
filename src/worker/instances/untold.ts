import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LastWords } from '../../api/instance-memory.ts';

const END = '.json';

/** What agents before this one could not tell, by instance; a file for each. */
export class Untold {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  keep(words: LastWords): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const path = this.#pathOf(words.order.id);
    // Renamed into place: the server counts what is there.
    const draft = `${path}.new`;
    writeFileSync(draft, JSON.stringify(words), { mode: 0o600 });
    renameSync(draft, path);
  }

  /** Those that can be read; the others are of no use to anybody. */
  all(): LastWords[] {
    return this.#names().flatMap((name) => {
      try {
        return [LastWords.parse(JSON.parse(readFileSync(join(this.#directory, name), 'utf8')))];
      } catch {
        rmSync(join(this.#directory, name), { force: true });
        return [];
      }
    });
  }

  forget(id: string): void {
    rmSync(this.#pathOf(id), { force: true });
  }

  #names(): string[] {
    try {
      return readdirSync(this.#directory).filter((name) => name.endsWith(END));
    } catch {
      return [];
    }
  }

  #pathOf(id: string): string {
    return join(this.#directory, `${id}${END}`);
  }
}
