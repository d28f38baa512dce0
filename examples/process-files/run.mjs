// Summarises every CSV file of the package vega-datasets, one task for each, and shows what came out.
//   node examples/process-files/run.mjs [FOLDER FOR THE RESULTS]
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listFiles } from './files.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const folder = resolve(process.argv[2] ?? here('out'));
const files = listFiles();

rmSync(folder, { recursive: true, force: true });
const submit = ['submit', '--name', 'process-files', '--array', String(files.length), '--wait', '--follow', '--'];
const task = [process.execPath, here('summarize.mjs'), folder];
const { status, error } = spawnSync(process.execPath, [here('../../dist/bin/spawn.js'), ...submit, ...task], {
  stdio: 'inherit',
});
if (error) throw error;
if (status !== 0) process.exit(status ?? 1);

const summaries = files.map((path) => JSON.parse(readFileSync(join(folder, `${basename(path)}.json`), 'utf8')));
const table = summaries.map(({ file, rows, columns }) => {
  const types = Object.entries(Object.groupBy(columns, ({ type }) => type)).map(([type, of]) => `${of.length} ${type}`);
  const missing = columns.reduce((sum, column) => sum + column.missing, 0);
  return [file, String(rows), types.sort().join(', '), String(missing)];
});
const rows = [['file', 'rows', 'columns', 'missing'], ...table];
const widths = rows[0].map((_, at) => Math.max(...rows.map((row) => row[at].length)));
const isNumber = [false, true, false, true];
console.log();
for (const row of rows) {
  const cells = row.map((cell, at) => (isNumber[at] ? cell.padStart(widths[at]) : cell.padEnd(widths[at])));
  console.log(cells.join('  '));
}
console.log(`\n${files.length} summaries in ${folder}`);
