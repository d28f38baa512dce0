import { fitsPath, type PathPattern } from './path-pattern.ts';

/**
 * What earlier patterns have given, so that nothing is given twice; known by the patterns, and not by the files, of which there
 * may be millions.
 */
export class Seen {
  /** By the part of their path that has no pattern. */
  readonly #patterns = new Map<string, PathPattern[]>();
  readonly #isLink: (path: string) => boolean;
  /** As far as anyone asked: `**` did not go through links to directories. */
  readonly #links = new Map<string, boolean>();

  /** @param isLink whether a directory is a link; default none is */
  constructor(isLink: (path: string) => boolean = () => false) {
    this.#isLink = isLink;
  }

  add(pattern: PathPattern): void {
    const names: string[] = [];
    for (const segment of pattern.segments) {
      if (segment === 'deep' || segment.literal === undefined) break;
      names.push(segment.literal);
    }
    const fixed = names.join('/');
    this.#patterns.set(fixed, [...(this.#patterns.get(fixed) ?? []), pattern]);
  }

  /** @param names of a path from the root */
  has(names: readonly string[]): boolean {
    if (this.#patterns.size === 0) return false;
    for (let depth = names.length; depth >= 0; depth--) {
      for (const pattern of this.#patterns.get(names.slice(0, depth).join('/')) ?? []) {
        if (fitsPath(pattern, names, (far) => !this.#wasLink(`/${names.slice(0, far).join('/')}`))) return true;
      }
    }
    return false;
  }

  #wasLink(directory: string): boolean {
    let isLink = this.#links.get(directory);
    if (isLink === undefined) {
      isLink = this.#isLink(directory);
      // Only those near each other are asked for again.
      if (this.#links.size > 10_000) this.#links.clear();
      this.#links.set(directory, isLink);
    }
    return isLink;
  }
}
