// First step, one month: takes the shift of the thermometer out. node clean.mjs WEATHER.CSV FOLDER
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { daysOf } from './months.mjs';

const [weather, folder] = process.argv.slice(2);
const month = Number(process.env.TASK_ARRAY_INDEX);
// Each month was measured with a thermometer of its own, whose shift stands in a file.
const shift = Number(readFileSync(join(folder, `shift-${month}`), 'utf8'));
const days = daysOf(month, weather).map(({ day, max }) => `${day},${(max - shift).toFixed(1)}`);
writeFileSync(join(folder, `clean-${month}.csv`), `${days.join('\n')}\n`);
console.log(`month ${month}: ${days.length} days`);
