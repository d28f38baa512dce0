/** Parameters of a task: its own over those of its job. Any values of JSON. */
export type Params = Readonly<Record<string, unknown>>;

/** What may be the name of one: `PARAM_name` is a variable of the tasks. */
const PARAM_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
export const MAX_PARAM_NAME = 128;

/** As a variable or an argument has it: text as it is, `null` as nothing, anything else as JSON. */
export function paramText(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** `PARAM_name=value` of each that has one. */
export function paramVariables(params: Params): string[] {
  return Object.entries(params).flatMap(([name, value]) => {
    const text = paramText(value);
    return text === undefined ? [] : [`PARAM_${name}=${text}`];
  });
}

/**
 * Reads one line of a table of parameters.
 * @throws Error with what is wrong with it
 */
export function readParamLine(line: string): Params {
  const value: unknown = JSON.parse(line);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('it is no object');
  for (const [name, text] of Object.entries(value)) {
    if (!PARAM_NAME.test(name) || name.length > MAX_PARAM_NAME) throw new Error(`${JSON.stringify(name)} is no name`);
    if (typeof text === 'string' && text.includes('\0')) throw new Error(`${name} holds a NUL`);
  }
  return value as Params;
}
