const MAX_POSITIONS = 2 ** 31;

/**
 * A mutable set of positions 0 to size-1: a bit each, and above them a tree of 32-way words whose bits say which word
 * below is not zero. So the next member is found in O(log32 size) however sparse the set is, at 0.13 bytes a position.
 * No method allocates, except `takeRun` and `runs`.
 */
export class PositionSet {
  /** Changed by `grow` alone. */
  size: number;
  /** levels[0] are the members; signed words, because V8 keeps those in registers. */
  private readonly levels: Int32Array[] = [];
  private members = 0;

  constructor(size: number, options: { readonly full?: boolean } = {}) {
    if (!(Number.isInteger(size) && size >= 0 && size <= MAX_POSITIONS)) throw new RangeError(`size ${size}`);
    this.size = size;
    let words = size;
    do {
      words = Math.ceil(words / 32);
      this.levels.push(new Int32Array(words));
    } while (words > 1);
    if (options.full) this.addRange(0, size);
  }

  /** Makes room for positions up to size-1; members stay. */
  grow(size: number): void {
    if (!(Number.isInteger(size) && size >= this.size && size <= MAX_POSITIONS)) throw new RangeError(`size ${size}`);
    const runs = [...this.runs()];
    const larger = new PositionSet(size);
    for (const [start, count] of runs) larger.addRange(start, count);
    this.levels.splice(0, this.levels.length, ...larger.levels);
    this.size = size;
  }

  /** How many members there are. */
  get count(): number {
    return this.members;
  }

  has(position: number): boolean {
    this.check(position, 1);
    return (this.levels[0]![position >>> 5]! & (1 << position)) !== 0;
  }

  /** False when it was a member before. */
  add(position: number): boolean {
    this.check(position, 1);
    const { levels } = this;
    let at = position;
    for (let level = 0; level < levels.length; level += 1) {
      const words = levels[level]!;
      const word = words[at >>> 5]!;
      const bit = 1 << at;
      if (level === 0) {
        if ((word & bit) !== 0) return false;
        this.members += 1;
      }
      words[at >>> 5] = word | bit;
      if (word !== 0) return true;
      at >>>= 5;
    }
    return true;
  }

  /** False when it was no member. */
  delete(position: number): boolean {
    this.check(position, 1);
    const { levels } = this;
    if ((levels[0]![position >>> 5]! & (1 << position)) === 0) return false;
    this.members -= 1;
    let at = position;
    for (let level = 0; level < levels.length; level += 1) {
      const words = levels[level]!;
      const rest = words[at >>> 5]! & ~(1 << at);
      words[at >>> 5] = rest;
      if (rest !== 0) return true;
      at >>>= 5;
    }
    return true;
  }

  /** Adds `count` positions from `start`; gives how many are new. */
  addRange(start: number, count: number): number {
    this.check(start, count);
    if (count === 0) return 0;
    const before = this.members;
    let low = start;
    let high = start + count - 1;
    for (let level = 0; level < this.levels.length; level += 1) {
      const words = this.levels[level]!;
      const lastWord = high >>> 5;
      for (let w = low >>> 5; w <= lastWord; w += 1) {
        const mask = maskOf(w, low, high);
        const word = words[w]!;
        if (level === 0) this.members += bitsIn(mask & ~word);
        words[w] = word | mask;
      }
      low >>>= 5;
      high >>>= 5;
    }
    return this.members - before;
  }

  /** Removes `count` positions from `start`; gives how many were members. */
  deleteRange(start: number, count: number): number {
    this.check(start, count);
    if (count === 0) return 0;
    const before = this.members;
    const members = this.levels[0]!;
    let low = start;
    let high = start + count - 1;
    for (let w = low >>> 5; w <= high >>> 5; w += 1) {
      const mask = maskOf(w, low, high);
      const word = members[w]!;
      this.members -= bitsIn(mask & word);
      members[w] = word & ~mask;
    }
    for (let level = 1; level < this.levels.length; level += 1) {
      const below = this.levels[level - 1]!;
      const words = this.levels[level]!;
      low >>>= 5;
      high >>>= 5;
      // Only the words below at the two ends can have members left.
      const keepLow = below[low] !== 0;
      const keepHigh = below[high] !== 0;
      for (let w = low >>> 5; w <= high >>> 5; w += 1) words[w] = words[w]! & ~maskOf(w, low, high);
      if (keepLow) words[low >>> 5] = words[low >>> 5]! | (1 << low);
      if (keepHigh) words[high >>> 5] = words[high >>> 5]! | (1 << high);
    }
    return before - this.members;
  }

  /** The smallest member that is at least `from`, or -1. */
  first(from = 0): number {
    const { levels } = this;
    let at = from;
    for (let level = 0; level < levels.length; level += 1) {
      const words = levels[level]!;
      if (at >>> 5 >= words.length) return -1;
      const rest = words[at >>> 5]! & (-1 << at);
      if (rest !== 0) return this.lowest(level, ((at >>> 5) << 5) + lowestBit(rest));
      at = (at >>> 5) + 1;
    }
    return -1;
  }

  /** How many members follow each other from `start` on, `start` included: 0 to max. */
  runLength(start: number, max: number): number {
    const words = this.levels[0]!;
    const limit = Math.min(max, this.size - start);
    let length = 0;
    while (length < limit) {
      const at = start + length;
      const gaps = ~words[at >>> 5]! >>> at;
      if (gaps !== 0) return Math.min(limit, length + lowestBit(gaps));
      length += 32 - (at & 31);
    }
    return Math.max(0, limit);
  }

  /** The first run of members at or after `from`, of at most `max`: [start, count], or undefined. They stay members. */
  takeRun(from: number, max: number): readonly [start: number, count: number] | undefined {
    const start = this.first(from);
    return start < 0 ? undefined : [start, this.runLength(start, max)];
  }

  clear(): void {
    for (const words of this.levels) words.fill(0);
    this.members = 0;
  }

  /** All maximal runs of members, ascending. The set must not change meanwhile. */
  *runs(): IterableIterator<readonly [start: number, count: number]> {
    let run = this.takeRun(0, this.size);
    while (run !== undefined) {
      yield run;
      run = this.takeRun(run[0] + run[1], this.size);
    }
  }

  /** The smallest member below bit `at` of a level. */
  private lowest(level: number, at: number): number {
    let found = at;
    for (let l = level - 1; l >= 0; l -= 1) found = found * 32 + lowestBit(this.levels[l]![found]!);
    return found;
  }

  private check(start: number, count: number): void {
    if (!(start >= 0 && count >= 0 && start + count <= this.size)) {
      throw new RangeError(`positions ${start} + ${count} of ${this.size}`);
    }
  }
}

/** The bits of word `w` that are in low to high. */
function maskOf(w: number, low: number, high: number): number {
  const from = w === low >>> 5 ? -1 << low : -1;
  const to = w === high >>> 5 ? -1 >>> (31 - (high & 31)) : -1;
  return from & to;
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}

function bitsIn(word: number): number {
  let n = word - ((word >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
