import type { AttemptCalls } from '../calls/attempt-calls.ts';
import { CallAnswer, CallKind } from './wire.ts';

const NOTHING = new Uint8Array(0);

/** Who does it. */
export interface CallTakers {
  readonly calls: () => AttemptCalls;
  readonly getPiece: (hash: string) => Promise<Uint8Array>;
}

/** Does what a handler asks for; never rejects: what is wrong is answered. */
export async function takeCall(
  { calls, getPiece }: CallTakers,
  kind: CallKind,
  data: Uint8Array,
  answer: (kind: number, data: Uint8Array) => void,
): Promise<void> {
  try {
    const isPiece = kind === CallKind.GET_PIECE;
    const found = isPiece ? await getPiece(Buffer.from(data).toString()) : await ask(calls(), kind, data);
    if (kind !== CallKind.PROGRESS)
      answer(found === undefined ? CallAnswer.NOTHING : CallAnswer.DONE, found ?? NOTHING);
  } catch (error) {
    answer(CallAnswer.REFUSED, Buffer.from(error instanceof Error ? error.message : String(error)));
  }
}

async function ask(calls: AttemptCalls, kind: CallKind, data: Uint8Array): Promise<Uint8Array | undefined> {
  switch (kind) {
    case CallKind.PROGRESS: {
      const [fraction, message] = JSON.parse(Buffer.from(data).toString()) as [number, string?];
      calls.progress(fraction, message);
      return undefined;
    }
    case CallKind.GET_CHECKPOINT:
      return await calls.checkpoint();
    case CallKind.PUT_CHECKPOINT:
      // The bytes are the stream's, and go on while it is sent.
      await calls.putCheckpoint(data.slice());
      return undefined;
    case CallKind.EMIT: {
      const at = data.indexOf(0);
      const [name, path] = JSON.parse(Buffer.from(data.subarray(0, at)).toString()) as [string, string?];
      await calls.emit(name, path === undefined ? { data: data.slice(at + 1) } : { path });
      return undefined;
    }
    case CallKind.PUT_PIECE:
      return Buffer.from(await calls.putPiece(data.slice()));
    case CallKind.GET_PIECE:
      throw new TypeError('a piece is asked of the worker, not of an attempt');
    case CallKind.PLANNED:
      calls.planned(JSON.parse(Buffer.from(data).toString()) as { hash: string; parts: number });
      return undefined;
  }
}
