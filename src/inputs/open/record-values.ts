import type { PlannedSource } from '../plan/manifest.ts';
import { columnsOf, jsonTextOf, lineEndOfPlanned, type RecordInput, recordText } from '../record-input.ts';
import { rowMaker } from '../records/csv-fields.ts';
import type { Window } from '../window.ts';

/** What a record is for the one who reads it, of the units between two places of a window. */
export type ValueOf = (window: Window, from: number, to: number) => unknown;

/**
 * text: the line without its end. jsonl, json: the value. csv: an object by the names of the header, or a list where there is
 * none.
 */
export function valueReader(input: RecordInput, row: PlannedSource, columns: readonly string[] | undefined): ValueOf {
  const lineEnd = lineEndOfPlanned(row);
  switch (input.type) {
    case 'text':
      return (window, from, to) => recordText(window, from, to, lineEnd);
    case 'jsonl':
    case 'json':
      return (window, from, to) => JSON.parse(jsonTextOf(window, from, to));
    case 'csv': {
      const make = columns === undefined ? undefined : rowMaker(columns);
      return (window, from, to) => {
        const fields = columnsOf(input, recordText(window, from, to, lineEnd));
        return make === undefined ? fields : make(fields);
      };
    }
  }
}
