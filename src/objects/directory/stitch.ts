import { type Fragment, type LooseEnds, MAX_LINE_BYTES } from './search-calls.ts';

/** Puts lines together that reach over the ends of segments; is told of the segments in their order. */
export class Stitch {
  readonly #open = new Map<string, Fragment>();

  /** Gives the lines that are whole now. */
  add({ heads, tails }: LooseEnds): Fragment[] {
    const lines: Fragment[] = [];
    for (const head of heads) {
      const key = keyOf(head);
      const before = this.#open.get(key);
      const line = before === undefined ? head : { ...head, bytes: join(before.bytes, head.bytes) };
      if (head.ends === undefined) {
        this.#open.set(key, line);
        continue;
      }
      this.#open.delete(key);
      if (head.ends === 'newline' || line.bytes.length > 0) lines.push(line);
    }
    for (const tail of tails) this.#open.set(keyOf(tail), tail);
    return lines;
  }

  /** Nothing follows: what is open ends here. */
  finish(): Fragment[] {
    const lines = [...this.#open.values()].filter(({ bytes }) => bytes.length > 0);
    this.#open.clear();
    return lines;
  }
}

function keyOf({ fence, stream }: Fragment): string {
  return `${fence} ${stream}`;
}

function join(before: Uint8Array, after: Uint8Array): Uint8Array {
  const room = MAX_LINE_BYTES - before.length;
  return new Uint8Array(Buffer.concat([before, after.subarray(0, Math.max(0, room))]));
}
