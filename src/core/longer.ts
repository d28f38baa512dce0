type Column = Uint8Array | Uint16Array | Uint32Array;

/** A column of that size which begins with what the other one has; the rest is 0. */
export function longer<C extends Column>(column: C, size: number): C {
  const grown = new (column.constructor as new (size: number) => C)(size);
  grown.set(column);
  return grown;
}

export function longerIfThere<C extends Column>(column: C | undefined, size: number): C | undefined {
  return column === undefined ? undefined : longer(column, size);
}
