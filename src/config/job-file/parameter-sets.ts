/** Parameters of one task. */
export type ParamSet = Readonly<Record<string, unknown>>;

/** The sets of `sweep`, then every combination of `matrix`: by sorted names, the last one changing first. Made as they are read. */
export function parameterSets(
  matrix: Readonly<Record<string, readonly unknown[]>> | undefined,
  sweep: readonly ParamSet[] | undefined,
): { readonly size: number; readonly rows: Iterable<ParamSet> } | undefined {
  if (matrix === undefined && sweep === undefined) return undefined;
  const names = Object.keys(matrix ?? {}).sort();
  const axes = names.map((name) => matrix![name]!);
  const combinations = names.length === 0 ? 0 : axes.reduce((product, { length }) => product * length, 1);
  const size = combinations + (sweep?.length ?? 0);
  function* rows(): Generator<ParamSet> {
    yield* sweep ?? [];
    for (let at = 0; at < combinations; at++) {
      const row: [string, unknown][] = [];
      let rest = at;
      for (let n = names.length - 1; n >= 0; n--) {
        row.unshift([names[n]!, axes[n]![rest % axes[n]!.length]]);
        rest = Math.floor(rest / axes[n]!.length);
      }
      yield Object.fromEntries(row);
    }
  }
  return { size, rows: { [Symbol.iterator]: rows } };
}
