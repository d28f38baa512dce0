/** A figure as docs/benchmarks.md shows it: as measured, with commas between thousands. */
export function number(value) {
  return value.toLocaleString('en-US', { maximumFractionDigits: 20 });
}
