const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, cyan: 36 } as const;
export type Colour = keyof typeof CODES;
export type Paint = (colour: Colour | undefined, text: string) => string;

/** Colours text for a terminal, or leaves it as it is. */
export function painter(wanted: boolean): Paint {
  return (colour, text) => (wanted && colour !== undefined ? `\x1b[${CODES[colour]}m${text}\x1b[0m` : text);
}

/** Of states of tasks and jobs: what went wrong is to be seen at once, what waits is to be quiet. */
export function colourOfState(state: string): Colour | undefined {
  switch (state) {
    case 'running':
      return 'cyan';
    case 'completed':
      return 'green';
    case 'failed':
      return 'red';
    case 'cancelled':
    case 'skipped':
      return 'yellow';
    case 'held':
    case 'blocked':
      return 'dim';
    default:
      return undefined;
  }
}
