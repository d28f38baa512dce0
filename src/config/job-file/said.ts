/** A mapping of a job file, as it is written. */
export type Fields = Readonly<Record<string, unknown>>;

/** Without what is not said. */
export function said(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
