// Runs the commands of the README's tour on a terminal, and writes what they print into it: `npm run docs:tour`, after a build.
import { writeFileSync } from 'node:fs';
import { README, readReadme, readTour, runTour, writeTour } from '../test/support/tour.ts';

const text = readReadme();
const steps = readTour(text);
const outputs = runTour(steps);
if (outputs.length !== steps.length) throw new Error(`${steps.length} commands, but only ${outputs.length} ended`);
writeFileSync(README, writeTour(text, outputs));
