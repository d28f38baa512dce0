// What docs/benchmarks.md asks of bench/slurm.ts.
import { number } from './figures.mjs';

const ms = (value) => `${number(value)} ms`;
const times = (value) => `${number(value)} x`;
/** Arrays held in bench/slurm.ts. */
const LARGE = ['submit of 100000 tasks', 'cancel of 100000 tasks'];
const took = (result, measure, side) => result[`${measure}, ${side}, ms`].median;
const ratioOf = (measure) => `${measure}, Slurm's time / spawn's, median of pairs`;
const beside = (result, measure) =>
  `${times(result[ratioOf(measure)])}: ${ms(took(result, measure, 'spawn'))} (Slurm ${ms(took(result, measure, 'Slurm'))})`;

export const SLURM_QUESTIONS = [
  {
    question: '`sbatch` and `scancel` of a held array of 100,000, as whole processes, beside real Slurm',
    file: 'slurm',
    show: (result) =>
      LARGE.map(
        (measure) => `${ms(took(result, measure, 'spawn'))} (Slurm ${ms(took(result, measure, 'Slurm'))})`,
      ).join(', '),
    goal: 'each under 300 ms',
    reached: (result) => LARGE.every((measure) => took(result, measure, 'spawn') < 300),
  },
  {
    question: 'From `sbatch` to the start of its task, beside real Slurm',
    file: 'slurm',
    show: (result) => beside(result, 'from submit to start'),
    goal: 'no later than Slurm',
    reached: (result) => result[ratioOf('from submit to start')] >= 1,
  },
  {
    question:
      'An array of 300 short tasks over 24 CPUs of three nodes, from `sbatch` to the last stamp, beside real Slurm',
    file: 'slurm',
    show: (result) => beside(result, 'drain of 300 tasks'),
    goal: 'no later than Slurm',
    reached: (result) => result[ratioOf('drain of 300 tasks')] >= 1,
  },
];
