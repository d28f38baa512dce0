import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { TaskResult } from '../../api/results.ts';
import { SpawnError } from '../../core/errors.ts';
import { defineCommand } from '../command.ts';
import { counted } from '../output/format.ts';
import { csvColumns, csvHead, csvRow } from '../output/results-csv.ts';
import { readRef } from '../refs.ts';
import type { World } from '../world.ts';

/** Characters that are written at a time. */
const PIECE = 65_536;

type Put = (text: string) => void | Promise<void>;

export const results = defineCommand({
  usage: ['results [options] JOB'],
  about:
    'Prints what every task gave, in the order of the array: what its handler returned, or what it said with spored\n' +
    'result and spored emit. A task without a result is there too, and says why in `missing`. Exit code 1 when a task of\n' +
    'an ended job gave none because it did not complete, 75 when tasks have not ended yet.',
  options: {
    output: { short: 'o', value: 'DIR', summary: 'Write results.FORMAT into this directory, whole or not at all' },
    format: {
      value: 'FORMAT',
      choices: ['jsonl', 'json', 'csv'],
      summary: 'jsonl (the default), json or csv; formats',
    },
  },
  operands: { name: 'JOB', min: 1, max: 1 },
  examples: [
    { line: 'spawn results 12', says: 'a line of JSON for each task' },
    { line: 'spawn results 12 -o out --format csv', says: 'a table in out/results.csv' },
  ],
  run: async ({ options, operands }, world) => {
    const { ref, index } = readRef('results', operands[0]!);
    if (index !== undefined) {
      throw new SpawnError('USAGE', { message: `results: expected a job, found the task ${operands[0]}` });
    }
    const client = await world.connect();
    const read = () => client.results(ref);
    const tally = { missing: 0, waiting: 0, all: 0 };
    const format = options.format ?? 'jsonl';
    const print = (put: Put) => printAll(format, read, tally, put);
    if (options.output === undefined) await print((text) => void world.stdout.write(text));
    else await intoFile(world, options.output, `results.${format}`, print);
    if (tally.missing === 0) return 0;
    const failed = tally.missing - tally.waiting;
    const parts = [
      ...(tally.waiting === 0 ? [] : [`${tally.waiting} not ended`]),
      ...(failed === 0 ? [] : [`${failed} for another reason`]),
    ];
    world.stderr.write(
      `spawn: partial: ${tally.missing} of ${counted(tally.all, 'task')} gave no result (${parts.join(', ')})\n`,
    );
    return tally.waiting > 0 ? 75 : 1;
  },
});

async function printAll(
  format: 'jsonl' | 'json' | 'csv',
  read: () => AsyncIterable<TaskResult>,
  tally: { missing: number; waiting: number; all: number },
  put: Put,
): Promise<void> {
  // A table says first which columns it has.
  const columns = format === 'csv' ? await csvColumns(read()) : undefined;
  let text = columns === undefined ? (format === 'json' ? '[' : '') : csvHead(columns);
  for await (const result of read()) {
    const before = format === 'json' ? (tally.all === 0 ? '\n' : ',\n') : '';
    tally.all++;
    if (result.missing !== undefined) tally.missing++;
    if (result.missing === 'not ended') tally.waiting++;
    text += before + (columns === undefined ? JSON.stringify(result) : csvRow(columns, result));
    if (format !== 'json') text += '\n';
    if (text.length < PIECE) continue;
    await put(text);
    text = '';
  }
  await put(`${text}${format === 'json' ? '\n]\n' : ''}`);
}

async function intoFile(world: World, folder: string, name: string, print: (put: Put) => Promise<void>): Promise<void> {
  const own = resolve(world.cwd, folder);
  const path = join(own, name);
  const draft = join(own, `.${name}.${process.pid}.tmp`);
  try {
    await mkdir(own, { recursive: true });
    const file = await open(draft, 'w');
    try {
      await print(async (text) => void (await file.write(text)));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {});
    const { code, message } = error as NodeJS.ErrnoException;
    throw error instanceof SpawnError || code === undefined
      ? error
      : new SpawnError('FILE_UNREADABLE', { path, why: message });
  }
}
