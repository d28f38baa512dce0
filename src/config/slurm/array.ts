import { isSpawnError } from '../../core/errors.ts';
import { type IndexSet, MAX_INDEX, parseIndexSet } from '../../core/index-set.ts';
import { notSubmitted, refuse } from './refusal.ts';

/** What `--array` asks for. */
export interface SlurmArray {
  readonly set: IndexSet;
  /** 0 for none. */
  readonly throttle: number;
}

const INVALID = 'Invalid job array specification';
/** `%K` behind any item: what strtol(3) takes for a number above 0; else none. */
const THROTTLE = /%\s*\+?(\d*)/;
const MOST_THROTTLE = 1_000_000_000;

/**
 * Reads `--array`, also in the forms that only Slurm's reader takes: empty items, a blank, a `+` or a bracket before one, a bracket behind one,
 * `%K` behind any. Undefined for no array (`''`, `,`). How large it may be is checked apart.
 *
 * @throws SpawnError with Slurm's words
 */
export function arrayOption(text: string): SlurmArray | undefined {
  const items = text.split(',').filter((item) => item !== '');
  if (items.length === 0) return undefined;
  const throttle = Number(THROTTLE.exec(text)?.[1] ?? 0);
  const plain = items.map(plainItem);
  if (plain.includes('')) throw notSubmitted(INVALID);
  try {
    const { set } = parseIndexSet(plain.join(','), { dialect: 'slurm', maxSize: MAX_INDEX + 1 });
    return { set, throttle: throttle <= MOST_THROTTLE ? throttle : 0 };
  } catch (error) {
    if (!isSpawnError(error)) throw error;
    throw notSubmitted(INVALID);
  }
}

/**
 * Only the coordinator knows how large an array may be.
 * @param maxArraySize indices are below it, as Slurm counts
 * @throws SpawnError with Slurm's words, and how to split an array that is too large
 */
export function checkArraySize({ set }: SlurmArray, maxArraySize: number): void {
  if (set.max >= maxArraySize) throw tooLarge(maxArraySize);
}

/** `1-3` of ` 1-3`, `+1-3`, `[1-3`, `1-3]` and `1-3%2]`. */
function plainItem(item: string): string {
  const sign = item.indexOf('%');
  let end = sign < 0 ? item.length : sign;
  while (item[end - 1] === ']') end -= 1;
  return item.slice(0, end).replace(/^(?:\[|\s*\+?)/, '');
}

function tooLarge(maxArraySize: number) {
  const last = maxArraySize - 1;
  return refuse(
    [
      { form: 'submit', text: INVALID },
      {
        form: 'command',
        text: `the largest index is ${last}; submit --array=1-${last} and what is above as further arrays, whose tasks add ${last} to their index`,
      },
    ],
    1,
  );
}
