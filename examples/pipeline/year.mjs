// Last step: the means of all months in one table. node year.mjs FOLDER
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder] = process.argv.slice(2);
const months = Array.from({ length: 12 }, (_, at) => at + 1);
const means = months.map((month) => Number(readFileSync(join(folder, `mean-${month}`), 'utf8')));
writeFileSync(join(folder, 'year.json'), `${JSON.stringify(means)}\n`);
console.log(means.map((mean, at) => `${at + 1}: ${mean}`).join('\n'));
