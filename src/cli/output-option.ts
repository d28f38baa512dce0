import type { Option } from './command.ts';

/** `-o json`. */
export const jsonOption = {
  short: 'o',
  value: 'FORMAT',
  choices: ['json'],
  summary: 'Print flat JSON with snake_case keys; formats',
} as const satisfies Option;
