// Shows the settings that did best: node best.mjs FOLDER RESULT.json
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, target] = process.argv.slice(2);
const results = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')))
  .sort((a, b) => b.right - a.right || a.index - b.index);

writeFileSync(target, `${JSON.stringify(results[0])}\n`);
const { rate, decay, right, of } = results[0];
console.log(`best of ${results.length}: rate ${rate}, decay ${decay}, with ${right} of ${of} right`);
