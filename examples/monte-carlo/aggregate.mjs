// Reads the estimates of all simulations and writes how many there are, their mean and their variance:
//   node aggregate.mjs SIMULATIONS FOLDER RESULT.json
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [simulations, folder, result] = process.argv.slice(2);
const estimates = Array.from({ length: Number(simulations) }, (_, index) =>
  Number(readFileSync(join(folder, String(index)), 'utf8')),
);

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const mean = sum(estimates) / estimates.length;
const variance = sum(estimates.map((estimate) => (estimate - mean) ** 2)) / (estimates.length - 1);

writeFileSync(result, `${JSON.stringify({ simulations: estimates.length, mean, variance })}\n`);
console.log(`${estimates.length} simulations: mean ${mean.toFixed(5)}, variance ${variance.toExponential(3)}`);
