import { SpawnError } from '../core/errors.ts';
import { parseFailureFilter } from '../core/failure-filter.ts';
import { didYouMean } from '../core/nearest.ts';
import type { Option, OptionTable } from './command.ts';
import { at } from './option-values.ts';
import { indexOption } from './refs.ts';

const STATES = ['blocked', 'ready', 'leased', 'running', 'completed', 'failed', 'cancelled', 'skipped'] as const;

function readStates(text: string, where: string): string {
  for (const state of text.split(',')) {
    if ((STATES as readonly string[]).includes(state)) continue;
    const meant = didYouMean(state, STATES);
    throw new SpawnError('USAGE', {
      message: `${where}: expected ${STATES.join(', ')}, found ${JSON.stringify(state)}${meant}`,
    });
  }
  return text;
}

/** `--state failed,cancelled`. */
export const stateOption = {
  value: 'STATES',
  summary: 'Only tasks in these states, as failed,cancelled',
  parse: readStates,
} as const satisfies Option<string>;

/** How a last attempt ended; read here to say at once what is wrong, sent as text. */
const whereOption = {
  value: 'FILTER',
  summary: 'Only tasks that ended so: exit=137, signal=KILL, cause=oom, time-limit',
  parse: (text, where) => {
    at(where, () => parseFailureFilter(text));
    return text;
  },
} as const satisfies Option<string>;

/** Which tasks of the jobs named. */
export const selectionOptions = {
  index: indexOption,
  state: stateOption,
  where: whereOption,
} as const satisfies OptionTable;
