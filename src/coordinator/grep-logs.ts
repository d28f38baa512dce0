import type { GrepQuery } from '../api/insight.ts';
import { SpawnError } from '../core/errors.ts';
import type { LogSearch } from '../objects/log-reader.ts';
import type { Ledger } from './ledger.ts';
import { lookAt } from './reading.ts';
import { resolveRef } from './refs.ts';
import { checkSelection, selectionOf, selectTasks } from './selection.ts';
import { addEnds, seeLogs } from './which-logs.ts';

/** The lines of the last attempt of each selected task that fit the pattern, a GrepMatch a line. */
export async function grepLogs(
  ledger: Ledger,
  ref: string,
  query: GrepQuery,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const { store, logs } = ledger.ports;
  const { pattern, ignoreCase, stream: streams, limit } = query;
  const search: LogSearch = { pattern, ignoreCase, streams, limit };
  checkPattern(search);
  const which = selectionOf(query);
  checkSelection(which);
  const resolved = await resolveRef(ledger.memory, store, ref, 'look');
  const seen = await lookAt(ledger, resolved.id, ({ job }) => seeLogs(job, [selectTasks(job, resolved, which).runs]));
  return logs.search(resolved.id, await addEnds(store, resolved.id, seen), search, signal);
}

function checkPattern({ pattern, ignoreCase }: LogSearch): void {
  try {
    new RegExp(pattern, ignoreCase ? 'iv' : 'v');
  } catch (error) {
    // V8: `Invalid regular expression: /(/v: Unterminated group`.
    const why = (error as Error).message.replace(/^.*\/[a-z]*: /s, '');
    throw new SpawnError('BAD_REQUEST', {
      where: 'pattern',
      expected: `a regular expression of JavaScript with flag v (${why})`,
      found: pattern,
    });
  }
}
