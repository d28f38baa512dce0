import type { Option } from './command.ts';

/** `-o json`. */
export const jsonOption = {
  short: 'o',
  value: 'FORMAT',
  choices: ['json'],
  summary: 'Print flat JSON with snake_case keys; formats',
} as const satisfies Option;

/** `-o json`, or one object a line for what may be long. */
export const linesOption = {
  short: 'o',
  value: 'FORMAT',
  choices: ['json', 'jsonl'],
  summary: 'Print JSON, one array or one object a line; formats',
} as const satisfies Option;
