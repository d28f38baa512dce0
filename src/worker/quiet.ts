/** Those who wait for a moment at which nothing is left to do. */
export class Quiet {
  readonly #isQuiet: () => boolean;
  readonly #looks = new Set<() => void>();

  constructor(isQuiet: () => boolean) {
    this.#isQuiet = isQuiet;
  }

  /** To be called when it may have become so. */
  look(): void {
    for (const look of [...this.#looks]) look();
  }

  /** True once it is so; false after `withinMs`. */
  within(withinMs: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const end = (isQuiet: boolean) => {
      clearTimeout(timer);
      this.#looks.delete(look);
      resolve(isQuiet);
    };
    const look = () => {
      if (this.#isQuiet()) end(true);
    };
    const timer = setTimeout(end, withinMs, false);
    this.#looks.add(look);
    look();
    return promise;
  }
}
