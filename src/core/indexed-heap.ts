/** An item knows where it is in its heap (-1: nowhere), so that its place can be mended when its key changes. */
export interface HeapItem {
  heapAt: number;
}

/** Binary heap with removal and re-ordering of any item in O(log n). */
export class IndexedHeap<T extends HeapItem> {
  readonly #items: T[] = [];
  readonly #before: (a: T, b: T) => boolean;

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  add(item: T): void {
    item.heapAt = this.#items.length;
    this.#items.push(item);
    this.#up(item.heapAt);
  }

  remove(item: T): void {
    const at = item.heapAt;
    const last = this.#items.pop()!;
    item.heapAt = -1;
    if (last === item) return;
    this.#items[at] = last;
    last.heapAt = at;
    this.mend(last);
  }

  /** After a change of the item's key. */
  mend(item: T): void {
    this.#up(item.heapAt);
    this.#down(item.heapAt);
  }

  #up(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(this.#items[at]!, this.#items[parent]!)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #down(from: number): void {
    let at = from;
    for (;;) {
      let first = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#items.length && this.#before(this.#items[child]!, this.#items[first]!)) first = child;
      }
      if (first === at) return;
      this.#swap(at, first);
      at = first;
    }
  }

  #swap(a: number, b: number): void {
    const items = this.#items;
    const item = items[a]!;
    items[a] = items[b]!;
    items[b] = item;
    items[a].heapAt = a;
    items[b].heapAt = b;
  }
}
