/**
 * The items of lists one by one. An async generator that delegates waits three times for each; this one hands out what is there
 * at once, which doubles the records a task can read.
 */
export function oneByOne(lists: AsyncIterable<readonly unknown[]>): AsyncIterableIterator<unknown> {
  const from = lists[Symbol.asyncIterator]();
  let [list, at, ended]: [readonly unknown[], number, boolean] = [[], 0, false];
  /** Fetches that were asked for and are not there yet, one after the other. */
  let waiting: Promise<unknown> | undefined;
  const fetch = async (): Promise<IteratorResult<unknown>> => {
    while (at >= list.length && !ended) {
      const { done, value } = await from.next();
      if (done === true) ended = true;
      else [list, at] = [value, 0];
    }
    return at < list.length ? { done: false, value: list[at++] } : { done: true, value: undefined };
  };
  return {
    next() {
      if (at < list.length && waiting === undefined) return Promise.resolve({ done: false, value: list[at++] });
      const fetched = waiting === undefined ? fetch() : waiting.then(fetch);
      const settled = fetched
        .catch(() => undefined)
        .then(() => {
          if (waiting === settled) waiting = undefined;
        });
      waiting = settled;
      return fetched;
    },
    async return() {
      [list, at, ended] = [[], 0, true];
      await from.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
