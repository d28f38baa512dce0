/** `name  value` lines below a heading; those without a value are left out. */
export function sheet(heading: string, lines: readonly (readonly [string, string | undefined])[]): string {
  const present = lines.filter(([, value]) => value !== undefined && value !== '');
  const width = Math.max(0, ...present.map(([name]) => name.length));
  return [heading, ...present.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`), ''].join('\n');
}
