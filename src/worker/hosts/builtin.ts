import type { HandlerContext } from '../../client/handler.ts';

/** The handlers of this package, by the module that a job names; what each loads is loaded in its host only. */
export const BUILTIN: ReadonlyMap<string, () => Promise<(context: HandlerContext) => unknown>> = new Map();
