import { SpawnError } from './errors.ts';

const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,62}$/;
const MAX_AMOUNT = 1e12;
const EXPECTED = 'NAME=AMOUNT[,NAME=AMOUNT…], an amount with at most 4 decimals, as license=2,scratch=0.5';

/**
 * Reads `license=2,scratch=0.5`, several times over. An amount of 0 is left out.
 *
 * @param most names that there may be
 * @throws BAD_REQUEST that names `where`: also for a name that comes twice, since it is not clear which amount counts
 */
export function readNamedResources(texts: readonly string[], where: string, most: number): Record<string, number> {
  const named = new Map<string, number>();
  const bad = (expected: string, found: unknown): never => {
    throw new SpawnError('BAD_REQUEST', { where, expected, found });
  };
  for (const text of texts.flatMap((list) => list.split(','))) {
    const [, name = '', amount] = /^([^=]*)=(\d{1,13}(?:\.\d{1,4})?)$/.exec(text) ?? [];
    if (!NAME.test(name) || Number(amount) > MAX_AMOUNT) bad(EXPECTED, text);
    if (named.has(name)) bad(`${name} once`, text);
    named.set(name, Number(amount));
  }
  const offered = [...named].filter(([, amount]) => amount > 0);
  if (offered.length > most) bad(`at most ${most} names`, offered.length);
  return Object.fromEntries(offered);
}
