/** Whether a part ends behind the source that was just read, when parts are made of whole sources. */
export type EndsBehind = (size: number) => boolean;

/** So many sources a part. */
export function everyFiles(files: number): EndsBehind {
  let count = 0;
  return () => ++count % files === 0;
}

/** Sources until a part has so many bytes. */
export function untilBytes(bytes: number): EndsBehind {
  let sum = 0;
  return (size) => {
    sum += size;
    if (sum < bytes) return false;
    sum = 0;
    return true;
  };
}

/** So many parts of about the same number of bytes; never more sources left than parts to fill. */
export function balancedFiles(sizes: readonly number[], parts: number): EndsBehind {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let [sum, passed, ended] = [0, 0, 0];
  return (size) => {
    sum += size;
    passed++;
    const isFull = sum >= ((ended + 1) * total) / parts || sizes.length - passed < parts - ended;
    if (!isFull || ended === parts - 1) return false;
    ended++;
    return true;
  };
}

/** How many of `parts` each source gets: one, and of the rest what its bytes are of all (largest remainders first). */
export function shareParts(sizes: readonly number[], parts: number): readonly number[] {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const rest = parts - sizes.length;
  const exact = sizes.map((size) => 1 + (size / total) * rest);
  const shares = exact.map(Math.floor);
  const left = parts - shares.reduce((sum, share) => sum + share, 0);
  const order = exact
    .map((share, at) => ({ at, rest: share - Math.floor(share) }))
    .sort((a, b) => b.rest - a.rest || a.at - b.at);
  for (let at = 0; at < left; at++) shares[order[at % order.length]!.at]!++;
  return shares;
}
