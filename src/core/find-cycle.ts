/**
 * A cycle among named things, as the names on its way with the first one again at the end (`a, b, a`: a waits for b, b for a);
 * undefined when there is none. A name of itself is the shortest. Names that are not in `edges` end a way.
 *
 * @param edges what each name waits for
 */
export function findCycle(edges: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  for (const start of edges.keys()) {
    if (done.has(start)) continue;
    // No call inside a call: a chain may be longer than the stack.
    const way = [{ name: start, next: 0 }];
    const onWay = new Set([start]);
    for (let top = way.at(-1); top !== undefined; top = way.at(-1)) {
      const name = edges.get(top.name)?.[top.next];
      top.next += 1;
      if (name === undefined) {
        done.add(top.name);
        onWay.delete(top.name);
        way.pop();
      } else if (onWay.has(name)) {
        const names = way.map((step) => step.name);
        return [...names.slice(names.indexOf(name)), name];
      } else if (!done.has(name)) {
        onWay.add(name);
        way.push({ name, next: 0 });
      }
    }
  }
  return undefined;
}
