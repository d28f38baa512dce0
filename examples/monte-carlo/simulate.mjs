// One simulation: estimates pi from 10,000 random points in the unit square, and writes the estimate into a file named
// after the index, in the folder given as argument. TASK_ARRAY_INDEX is the seed.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomFrom } from './random.mjs';

const DRAWS = 10_000;

const [folder] = process.argv.slice(2);
const index = Number(process.env.TASK_ARRAY_INDEX);
const random = randomFrom(index);

let inside = 0;
for (let draw = 0; draw < DRAWS; draw += 1) {
  const x = random();
  const y = random();
  if (x * x + y * y < 1) inside += 1;
}

mkdirSync(folder, { recursive: true });
// A task may run again after its machine was lost, so the file appears at once and whole.
const attempt = join(folder, `${index}.${process.pid}.tmp`);
writeFileSync(attempt, `${(4 * inside) / DRAWS}\n`);
renameSync(attempt, join(folder, String(index)));
