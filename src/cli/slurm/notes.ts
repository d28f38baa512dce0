import type { Sink } from '../world.ts';

/**
 * Says what was read and has no effect here, before the line that names the job. Programs join both streams and take the first or the last word for the
 * id, so it is said to a person at a terminal, or with `-v`, alone; the job records it in any case.
 */
export function sayNotes(notes: readonly string[], command: string, stderr: Sink, verbose: boolean): void {
  if (!stderr.isTTY && !verbose) return;
  for (const note of notes) stderr.write(`${command}: ${note}\n`);
}
