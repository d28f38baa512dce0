/** What one look at something found. `info` is for people only; `fail` is what keeps something from working. */
export interface Check {
  readonly name: string;
  readonly result: 'ok' | 'info' | 'warn' | 'fail';
  readonly found: string;
  /** What to do about it. */
  readonly advice?: string;
}

export function ok(name: string, found: string): Check {
  return { name, result: 'ok', found };
}

export function info(name: string, found: string): Check {
  return { name, result: 'info', found };
}

export function warn(name: string, found: string, advice: string): Check {
  return { name, result: 'warn', found, advice };
}

export function fail(name: string, found: string, advice: string): Check {
  return { name, result: 'fail', found, advice };
}
