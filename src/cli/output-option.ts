import type { Option } from './command.ts';

/** `-o json`. */
export const jsonOption = {
  short: 'o',
  value: 'FORMAT',
  choices: ['json'],
  summary: 'Print JSON: flat objects with snake_case keys',
} as const satisfies Option;
