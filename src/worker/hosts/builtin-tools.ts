import type { HandlerContext } from '../../client/handler.ts';
import type { HostJob } from './wire.ts';

/** What the handlers of this package may ask for besides what every handler may. */
export interface BuiltinTools {
  readonly job: HostJob;
  /** A piece of a plan by its hash. */
  getPiece(hash: string): Promise<Uint8Array>;
  /** Keeps a piece of a plan; gives its hash. */
  putPiece(bytes: Uint8Array): Promise<string>;
  /** Says what a planning task has found, before it ends. */
  planned(plan: { readonly hash: string; readonly parts: number }): Promise<void>;
}

export type BuiltinFunction = (context: HandlerContext, tools: BuiltinTools) => unknown;
