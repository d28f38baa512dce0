import type { TaskResult } from '../../api/results.ts';
import { SpawnError } from '../../core/errors.ts';

const OWN = ['index', 'state', 'attempt', 'missing'] as const;
/** Columns of a table that people and programs can still read. */
const MOST_COLUMNS = 10_000;

/** Keys of the values of all tasks, in the order in which they come; `value` for those that are no objects. */
export async function csvColumns(results: AsyncIterable<TaskResult>): Promise<readonly string[]> {
  const columns = new Set<string>();
  for await (const { value } of results) {
    if (value === undefined) continue;
    if (!isRecord(value)) columns.add('');
    else for (const key of Object.keys(value)) columns.add(key);
    if (columns.size > MOST_COLUMNS) {
      throw new SpawnError('USAGE', {
        message: `results: expected at most ${MOST_COLUMNS} columns with --format csv, found more`,
      });
    }
  }
  return [...columns];
}

export function csvHead(columns: readonly string[]): string {
  return `${[...OWN, ...columns.map((key) => (key === '' ? 'value' : key))].map(csvCell).join(',')}\n`;
}

export function csvRow(columns: readonly string[], result: TaskResult): string {
  const { value } = result;
  const fields = columns.map((key) => {
    if (key === '') return isRecord(value) ? undefined : value;
    return isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  });
  return [...OWN.map((name) => result[name]), ...fields].map(csvCell).join(',');
}

function csvCell(value: unknown): string {
  const text = value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
