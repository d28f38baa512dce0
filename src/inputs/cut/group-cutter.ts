import { PackedReader, PackedWriter } from '../../core/packed.ts';
import { ExtentReader, ExtentWriter } from '../plan/extents.ts';
import type { PlanWriter } from '../plan/writer.ts';
import type { Found } from '../records/scan.ts';
import { badInput } from '../refuse.ts';
import type { Window } from '../window.ts';
import type { Cutter } from './cutters.ts';
import { Spill } from './spill.ts';

/** Bytes of packed extents of all groups in memory, unless it is told otherwise. */
const MEMORY_BYTES = 32 * 1024 * 1024;

/** Characters of the values of all groups. */
const MOST_NAMES = 64 * 1024 * 1024;

/** A group begins small, as there may be very many. */
const FIRST_BYTES = 16;

/** The records of one value. */
class Group {
  readonly name: string;
  records = 0;
  extents: ExtentWriter | undefined;
  /** How many extents are in `extents`. */
  count = 0;
  /** Place, length and number of extents of what was spilled, one after the other. */
  readonly spilled: number[] = [];
  source = -1;
  from = 0;
  to = 0;

  constructor(name: string) {
    this.name = name;
  }
}

/** A part for each value, in the order in which values come first: its records are the stretches where the value stands. */
export class GroupCutter implements Cutter {
  readonly #groups = new Map<string, Group>();
  readonly #plan: PlanWriter;
  readonly #most: number;
  readonly #directory: string;
  readonly #memoryBytes: number;
  #spill: Spill | undefined;
  #names = 0;
  #bytes = 0;
  #source = 0;
  #at = 0;

  /** `most`: values that it takes; `directory`: where it may put what is more than `memoryBytes`. */
  constructor(plan: PlanWriter, most: number, directory: string, memoryBytes = MEMORY_BYTES) {
    this.#memoryBytes = memoryBytes;
    this.#plan = plan;
    this.#most = most;
    this.#directory = directory;
  }

  begin(source: number, from: number): void {
    this.#source = source;
    this.#at = from;
  }

  take(window: Window, found: Found, first: number, end: number): void {
    for (let record = first; record < end; record++) {
      const to = window.placeOf(found.ends[record]!);
      this.#add(this.#group(found.keys[record]!), this.#at, to);
      this.#at = to;
    }
  }

  skip(to: number): void {
    this.#at = to;
  }

  /** Makes the parts. */
  async finish(): Promise<void> {
    for (const group of this.#groups.values()) {
      this.#plan.batch(group.name);
      this.#close(group);
      for (let at = 0; at < group.spilled.length; at += 3) {
        const [place, length, count] = group.spilled.slice(at, at + 3) as [number, number, number];
        this.#say(this.#spill!.read(place, length), count);
        if (this.#plan.waiting) await this.#plan.flush();
      }
      if (group.extents !== undefined) this.#say(group.extents.packed.bytes(), group.count);
      this.#plan.endPart(group.records);
      if (this.#plan.waiting) await this.#plan.flush();
    }
  }

  close(): void {
    this.#spill?.close();
  }

  #group(name: string): Group {
    const known = this.#groups.get(name);
    if (known !== undefined) return known;
    if (this.#groups.size === this.#most)
      throw badInput('input.cut.group', `at most ${this.#most} values`, 'more', 'group by another column');
    this.#names += name.length;
    if (this.#names > MOST_NAMES)
      throw badInput(
        'input.cut.group',
        `values of at most ${MOST_NAMES} characters in all`,
        'more',
        'group by another column',
      );
    const group = new Group(name);
    this.#groups.set(name, group);
    return group;
  }

  #add(group: Group, from: number, to: number): void {
    group.records++;
    if (group.source === this.#source && group.to === from) {
      group.to = to;
      return;
    }
    this.#close(group);
    group.source = this.#source;
    group.from = from;
    group.to = to;
  }

  /** Packs the stretch that is at its end. */
  #close(group: Group): void {
    if (group.source < 0) return;
    group.extents ??= new ExtentWriter(new PackedWriter(FIRST_BYTES));
    const before = group.extents.packed.length;
    group.extents.add(group.source, group.from, group.to);
    group.count++;
    group.source = -1;
    this.#bytes += group.extents.packed.length - before;
    if (this.#bytes > this.#memoryBytes) this.#spillAll();
  }

  #spillAll(): void {
    this.#spill ??= new Spill(this.#directory);
    for (const group of this.#groups.values()) {
      if (group.extents === undefined) continue;
      const bytes = group.extents.packed.bytes();
      group.spilled.push(this.#spill.add(bytes), bytes.length, group.count);
      group.extents = undefined;
      group.count = 0;
    }
    this.#bytes = 0;
  }

  #say(bytes: Uint8Array, count: number): void {
    const reader = new ExtentReader(new PackedReader(bytes));
    for (let at = 0; at < count; at++) {
      const { source, from, to } = reader.next();
      this.#plan.extent(source, from, to);
    }
  }
}
