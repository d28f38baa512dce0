import { visible } from '../../../core/error-text.ts';
import type { World } from '../../world.ts';

/** A run of scontrol: what was switched on, by an option or by a command before, and how it ends. */
export class Session {
  readonly world: World;
  oneLine = false;
  detailed = false;
  /** Complaints are not printed. */
  quiet = false;
  verbose = false;
  /** Set by `exit` and `quit`. */
  over = false;
  /** 1 as soon as one of the commands failed. */
  exitCode = 0;

  constructor(world: World) {
    this.world = world;
  }

  print(text: string): void {
    this.world.stdout.write(text);
  }

  /** A line on stderr; the command goes on. */
  complain(line: string): void {
    if (!this.quiet) this.world.stderr.write(`${visible(line)}\n`);
  }

  /** The same, and scontrol ends with 1. */
  fail(...lines: readonly string[]): void {
    for (const line of lines) this.complain(line);
    this.exitCode = 1;
  }

  /** What has no effect is said to a person at a terminal, or with `-v`, alone. */
  note(text: string): void {
    if (this.verbose || this.world.stderr.isTTY) this.world.stderr.write(`scontrol: ${visible(text)}\n`);
  }
}
