import type { OutputFile } from '../records/results.ts';

/** The files that one attempt makes, kept apart until it has succeeded. */
export interface TaskOutput {
  /** Takes a file in under this name; the last one of a name counts. Throws BAD_REQUEST for a name that leads out. */
  add(name: string, bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<OutputFile>;
  /** Puts all of them where they belong, each as a whole; to be called once. */
  publish(): Promise<readonly OutputFile[]>;
  /** Leaves nothing of what was not published. Never rejects. */
  discard(): Promise<void>;
}
