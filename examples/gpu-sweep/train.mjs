// One task: learns to tell three species of penguins apart with the settings at position TASK_ARRAY_INDEX of the grid.
//   node train.mjs PENGUINS.JSON FOLDER
// Real training would use the GPU that CUDA_VISIBLE_DEVICES names; this one notes which it was given, and is small enough without.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { grid } from './grid.mjs';

const EPOCHS = 300;
const FIELDS = ['Beak Length (mm)', 'Beak Depth (mm)', 'Flipper Length (mm)', 'Body Mass (g)'];

const [data, folder] = process.argv.slice(2);
const index = Number(process.env.TASK_ARRAY_INDEX);
const { rate, decay } = grid[index];

const rows = JSON.parse(readFileSync(data, 'utf8')).filter((row) => FIELDS.every((field) => row[field] !== null));
const species = [...new Set(rows.map((row) => row.Species))];
const scales = FIELDS.map((field) => {
  const values = rows.map((row) => row[field]);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return (row) => (row[field] - mean) / deviation;
});
const samples = rows.map((row) => ({ x: [1, ...scales.map((scale) => scale(row))], y: species.indexOf(row.Species) }));
// Every fifth is kept back to judge by.
const training = samples.filter((_, at) => at % 5 !== 0);
const judging = samples.filter((_, at) => at % 5 === 0);

const weights = species.map(() => new Array(FIELDS.length + 1).fill(0));
const scores = (x) => weights.map((row) => row.reduce((sum, weight, at) => sum + weight * x[at], 0));
for (let epoch = 0; epoch < EPOCHS; epoch += 1) {
  const slopes = weights.map((row) => row.map((weight) => decay * weight));
  for (const { x, y } of training) {
    const raw = scores(x);
    const most = Math.max(...raw);
    const exponentials = raw.map((score) => Math.exp(score - most));
    const total = exponentials.reduce((sum, value) => sum + value, 0);
    for (const [at, value] of exponentials.entries()) {
      const error = value / total - (at === y ? 1 : 0);
      for (const [field, part] of x.entries()) slopes[at][field] += (error * part) / training.length;
    }
  }
  for (const [at, row] of weights.entries()) for (const field of row.keys()) row[field] -= rate * slopes[at][field];
}

const right = judging.filter(({ x, y }) => {
  const found = scores(x);
  return found.indexOf(Math.max(...found)) === y;
}).length;
const result = { index, rate, decay, right, of: judging.length, gpu: process.env.CUDA_VISIBLE_DEVICES ?? '' };
mkdirSync(folder, { recursive: true });
// A task may run again after its machine was lost, so the file appears at once and whole.
const target = join(folder, `${index}.json`);
writeFileSync(`${target}.${process.pid}.tmp`, `${JSON.stringify(result)}\n`);
renameSync(`${target}.${process.pid}.tmp`, target);
console.log(`rate ${rate}, decay ${decay}: ${right} of ${judging.length} right, on GPU ${result.gpu}`);
