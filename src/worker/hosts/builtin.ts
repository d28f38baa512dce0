import type { BuiltinFunction } from './builtin-tools.ts';

/** The handlers of this package, by the module that a job names; what each loads is loaded in its host only. */
export const BUILTIN: ReadonlyMap<string, () => Promise<BuiltinFunction>> = new Map([
  ['spawn:plan', async () => (await import('./builtin-plan.ts')).planInputOf],
]);
