/** sysexits(3), EX_SOFTWARE: the keeper starts the server again. */
export const EXIT_AGAIN = 70;

/** Resolves once, with the exit code. */
export class Ending {
  readonly ended: Promise<number>;
  resolve!: (code: number) => void;

  constructor() {
    this.ended = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }
}
