// Second step, one month: the mean of its days. node mean.mjs FOLDER
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder] = process.argv.slice(2);
const month = Number(process.env.TASK_ARRAY_INDEX);
const lines = readFileSync(join(folder, `clean-${month}.csv`), 'utf8')
  .trim()
  .split('\n');
const mean = lines.reduce((sum, line) => sum + Number(line.split(',')[1]), 0) / lines.length;
writeFileSync(join(folder, `mean-${month}`), `${mean.toFixed(2)}\n`);
