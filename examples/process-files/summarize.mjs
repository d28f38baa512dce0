// One task: summarises the CSV file at the position TASK_ARRAY_INDEX into a JSON file in the folder given as argument.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { listFiles } from './files.mjs';
import { summarize } from './summary.mjs';

const [folder] = process.argv.slice(2);
const index = Number(process.env.TASK_ARRAY_INDEX);
const path = listFiles()[index];
if (path === undefined) throw new RangeError(`there is no file ${process.env.TASK_ARRAY_INDEX}`);

const file = basename(path);
const { rows, columns } = summarize(readFileSync(path, 'utf8'));
mkdirSync(folder, { recursive: true });
// A task may run again after its machine was lost, so the file appears at once and whole.
const target = join(folder, `${file}.json`);
const attempt = `${target}.${process.pid}.tmp`;
writeFileSync(attempt, `${JSON.stringify({ file, rows, columns }, null, 2)}\n`);
renameSync(attempt, target);

console.log(`${file}: ${rows} rows, ${columns.length} columns`);
