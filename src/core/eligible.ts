import { PositionSet } from './position-set.ts';

/** Which tasks of a job may be granted now: a set for each lane, and which lane each task is in. */
export class Eligible {
  /** Changed by `grow` alone. */
  size: number;
  /** By number of the lane. */
  readonly sets: [PositionSet, ...PositionSet[]];
  /** How many tasks each lane has, whether they may be granted or not. */
  readonly laneCounts: [number, ...number[]];
  /** Number of each task's lane; absent while all are in lane 0. */
  lanes: Uint8Array | undefined;
  /** While it is there, no other tasks are added. */
  #gate: PositionSet | undefined;

  constructor(size: number, all: boolean) {
    this.size = size;
    this.sets = [new PositionSet(size, { full: all })];
    this.laneCounts = [size];
  }

  /** Of all lanes. */
  get count(): number {
    let count = 0;
    for (const set of this.sets) count += set.count;
    return count;
  }

  /** Makes room for tasks of one more lane. */
  addLane(): PositionSet {
    const set = new PositionSet(this.size);
    this.sets.push(set);
    this.laneCounts.push(0);
    return set;
  }

  /** Makes room for more tasks behind the last one, all in lane 0. The sets stay the same objects. */
  grow(size: number): void {
    this.laneCounts[0] += size - this.size;
    this.size = size;
    for (const set of this.sets) set.grow(size);
    this.#gate?.grow(size);
    if (this.lanes === undefined) return;
    const lanes = new Uint8Array(size);
    lanes.set(this.lanes);
    this.lanes = lanes;
  }

  laneOf(position: number): number {
    return this.lanes === undefined ? 0 : this.lanes[position]!;
  }

  has(position: number): boolean {
    return this.#setOf(position).has(position);
  }

  add(position: number): void {
    if (!this.isShutOut(position)) this.#setOf(position).add(position);
  }

  delete(position: number): void {
    this.#setOf(position).delete(position);
  }

  addRange(start: number, count: number): void {
    if (this.#gate !== undefined) {
      const end = start + count;
      for (let at = this.#gate.first(start); at >= 0 && at < end; at = this.#gate.first(at + 1)) this.add(at);
      return;
    }
    for (const [at, length, lane] of this.runs(start, count)) this.sets[lane]!.addRange(at, length);
  }

  deleteRange(start: number, count: number): void {
    for (const [at, length, lane] of this.runs(start, count)) this.sets[lane]!.deleteRange(at, length);
  }

  /** Lets only these tasks be added from now on, or all; who is here stays. */
  setGate(positions: Uint32Array | undefined): void {
    this.#gate = positions === undefined ? undefined : new PositionSet(this.size);
    for (const position of positions ?? []) this.#gate!.add(position);
  }

  /** A gate keeps it out. */
  isShutOut(position: number): boolean {
    return this.#gate?.has(position) === false;
  }

  /** All that may be granted, ascending; what is added or taken out meanwhile is seen. */
  *positions(): Generator<number> {
    for (let at = this.#first(0); at >= 0; at = this.#first(at + 1)) yield at;
  }

  #first(from: number): number {
    const found = this.sets.map((set) => set.first(from)).filter((at) => at >= 0);
    return found.length === 0 ? -1 : Math.min(...found);
  }

  /** The tasks start … start+count-1 as stretches of one lane each. */
  *runs(start: number, count: number): Generator<[start: number, count: number, lane: number]> {
    const { lanes } = this;
    if (lanes === undefined) {
      yield [start, count, 0];
      return;
    }
    const end = start + count;
    for (let at = start; at < end; ) {
      let next = at + 1;
      while (next < end && lanes[next] === lanes[at]) next++;
      yield [at, next - at, lanes[at]!];
      at = next;
    }
  }

  /**
   * Moves tasks to a lane that was added.
   *
   * @throws RangeError when it was not
   */
  move(start: number, count: number, lane: number): void {
    const to = this.sets[lane];
    if (to === undefined) throw new RangeError(`lane ${lane} of ${this.sets.length}`);
    for (const [at, length, old] of [...this.runs(start, count)]) {
      this.laneCounts[old]! -= length;
      this.laneCounts[lane]! += length;
      moveMembers(this.sets[old]!, to, at, length);
    }
    this.lanes ??= new Uint8Array(this.size);
    this.lanes.fill(lane, start, start + count);
  }

  #setOf(position: number): PositionSet {
    return this.lanes === undefined ? this.sets[0] : this.sets[this.lanes[position]!]!;
  }
}

function moveMembers(from: PositionSet, to: PositionSet, start: number, count: number): void {
  if (from === to) return;
  const end = start + count;
  for (let run = from.takeRun(start, count); run !== undefined && run[0] < end; run = from.takeRun(start, count)) {
    const length = Math.min(run[1], end - run[0]);
    from.deleteRange(run[0], length);
    to.addRange(run[0], length);
  }
}
