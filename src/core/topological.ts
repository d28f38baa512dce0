/** Numbers 0 … n-1 in an order in which each comes after all that it needs; or a cycle, its first number again at the end. */
export type Ordered = { readonly order: readonly number[] } | { readonly cycle: readonly number[] };

/**
 * Orders 0 … count-1. What needs nothing later in the count stays in its place; no recursion, so that a chain may be as long as it likes.
 * @param needs what a number needs to come before it
 */
export function orderByNeeds(count: number, needs: (n: number) => Iterable<number>): Ordered {
  const order: number[] = [];
  const done = new Uint8Array(count);
  const onPath = new Uint8Array(count);
  for (let first = 0; first < count; first++) {
    if (done[first] === 1) continue;
    const path = [open(first)];
    for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
      const { value: next } = step.needs.next();
      if (next === undefined) {
        path.pop();
        onPath[step.n] = 0;
        done[step.n] = 1;
        order.push(step.n);
      } else if (onPath[next] === 1) {
        const numbers = path.map(({ n }) => n);
        return { cycle: [...numbers.slice(numbers.indexOf(next)), next] };
      } else if (done[next] === 0) {
        path.push(open(next));
      }
    }
  }
  return { order };

  function open(n: number): { readonly n: number; readonly needs: Iterator<number, undefined> } {
    onPath[n] = 1;
    return { n, needs: needs(n)[Symbol.iterator]() };
  }
}
