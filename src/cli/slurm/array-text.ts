import type { IndexSet } from '../../core/index-set.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Characters of SLURM_BITSTR_LEN where it is not set or negative. */
const DEFAULT_LENGTH = 64;
/** Beyond this a set is cut even where all of it is asked for. */
const MOST = 4_194_304;
/** squeue's `%i` where SLURM_BITSTR_LEN is not set. */
const ID_LENGTH = 31;
/** Smaller sets are written out. */
const STEP_SPAN = 10;
const STEP_COUNT = 5;

/** How long the text of a set may be, its closing NUL in C counted: 0 for all of it. */
export function bitstrLength(env: Env): number {
  const text = env.SLURM_BITSTR_LEN;
  if (text === undefined) return DEFAULT_LENGTH;
  const length = Number.parseInt(text, 10);
  return length < 0 ? DEFAULT_LENGTH : length || 0;
}

/** `5-1024%4`: indices that wait, cut with `...`, and the throttle unless it is 0. */
export function indicesText(set: IndexSet, throttle: number, length: number): string {
  return `${setText(set, length)}${throttle > 0 ? `%${throttle}` : ''}`;
}

/** `42_[5-1024%4]`: tasks of an array that wait, in one id, as squeue and sacct show it. */
export function waitingId(job: number, set: IndexSet, throttle: number, env: Env): string {
  const id = `${job}_[${indicesText(set, throttle, bitstrLength(env))}]`;
  return env.SLURM_BITSTR_LEN === undefined ? id.slice(0, ID_LENGTH) : id;
}

function setText(set: IndexSet, length: number): string {
  const [first, second] = set.ranges();
  if (first !== undefined && second === undefined && first.step > 1) {
    if (set.max - set.min > STEP_SPAN && set.size > STEP_COUNT) return `${set.min}-${set.max}:${first.step}`;
  }
  const room = (length === 0 ? MOST : length) - 1;
  let text = '';
  for (const [from, to] of neighbours(set)) {
    text += `${text === '' ? '' : ','}${from}${to === from ? '' : `-${to}`}`;
    if (text.length > room) return room < 3 ? '' : `${text.slice(0, room - 3)}...`;
  }
  return text;
}

/** The longest rows of indices that follow on each other. */
function* neighbours(set: IndexSet): IterableIterator<readonly [from: number, to: number]> {
  let from = -1;
  let to = -2;
  for (const { start, step, count } of set.ranges()) {
    const [pieces, width] = step === 1 ? [1, count] : [count, 1];
    for (let k = 0; k < pieces; k += 1) {
      const at = start + k * step;
      if (at !== to + 1) {
        if (from >= 0) yield [from, to];
        from = at;
      }
      to = at + width - 1;
    }
  }
  if (from >= 0) yield [from, to];
}
