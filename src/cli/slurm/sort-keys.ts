import { refuseLine } from '../../config/slurm/refusal.ts';

/** What to sort by first, second, …; `-` before a letter turns it round. */
export interface SortKey {
  readonly letter: string;
  readonly falls: boolean;
}

/** Compares two rows by one letter. */
export type Orders<Row> = Readonly<Record<string, (a: Row, b: Row) => number>>;

/**
 * Reads `P,t,-p`. Every letter is a key; commas, `+` and `-` may stand between them.
 * @throws SpawnError with Slurm's words, which name the last letter that is none
 */
export function readSortKeys<Row>(text: string, orders: Orders<Row>): readonly SortKey[] {
  const letters = [...text];
  const bad = letters.findLast((letter) => !/[,+-]/.test(letter) && !Object.hasOwn(orders, letter));
  if (bad !== undefined) throw refuseLine(`Invalid sort specification: ${bad}`, 1);
  return letters.flatMap((letter, at) =>
    /[,+-]/.test(letter) ? [] : [{ letter, falls: at > 0 && letters[at - 1] === '-' }],
  );
}

/** How rows are ordered by keys; equal ones stay as they are. */
export function orderBy<Row>(keys: readonly SortKey[], orders: Orders<Row>): (a: Row, b: Row) => number {
  return (a, b) => {
    for (const { letter, falls } of keys) {
      const order = orders[letter]!(a, b);
      if (order !== 0) return falls ? -order : order;
    }
    return 0;
  };
}
