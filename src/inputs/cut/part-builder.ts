import type { PlanWriter } from '../plan/writer.ts';

/** The part that is being made of what is read: it grows by whole records, and may be of several stretches and sources. */
export class PartBuilder {
  readonly #plan: PlanWriter;
  #source = 0;
  #from = 0;
  #to = 0;
  #records = 0;
  #counted = true;
  #any = false;

  constructor(plan: PlanWriter) {
    this.#plan = plan;
  }

  /** Where the part ends for now, or the next begins. */
  get at(): number {
    return this.#to;
  }

  get records(): number {
    return this.#records;
  }

  /** Goes on in another source. */
  begin(source: number, at: number): void {
    this.#cutExtent();
    this.#source = source;
    this.#from = at;
    this.#to = at;
  }

  /** Takes the next records, which end at `to`; undefined: nobody counted them. */
  extend(to: number, records: number | undefined): void {
    this.#to = to;
    this.#any = true;
    if (records === undefined) this.#counted = false;
    else this.#records += records;
  }

  /** Leaves out what is up to `to`. */
  skip(to: number): void {
    this.#cutExtent();
    this.#from = to;
    this.#to = to;
  }

  /** Makes it a part of the plan, if there is anything in it. */
  close(): void {
    this.#cutExtent();
    if (this.#any) this.#plan.endPart(this.#counted ? this.#records : undefined);
    this.#from = this.#to;
    this.#records = 0;
    this.#counted = true;
    this.#any = false;
  }

  #cutExtent(): void {
    if (this.#to > this.#from) this.#plan.extent(this.#source, this.#from, this.#to);
    this.#from = this.#to;
  }
}
