import { SpawnError } from '../../core/errors.ts';
import { bindName } from '../../core/instance-name.ts';
import type { Given } from './options.ts';
import { dnsName } from './values.ts';

/** What an array and its members are called. */
export interface Names {
  readonly array: string;
  /** The option that said it, as errors call it. */
  readonly from: string;
  /** For the members, with `{name}` filled in. */
  readonly template: string;
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';
const CHANCE_LETTERS = 6;

/**
 * The name of the array is the first of --job-array-name, --name and NAME that was given, `{name}` the second, if any. Without any it is one
 * that nobody has: by chance, or by the idempotency key, so that a repeated launch asks for the same.
 *
 * @param chance a number from 0 to below 1
 */
export function namesOf(given: Given, operand: string | undefined, standalone: boolean, chance: () => number): Names {
  const said: (readonly [string, string])[] = [];
  if (given['job-array-name'] !== undefined) said.push([given['job-array-name'], '--job-array-name']);
  if (given.name !== undefined) said.push([given.name, '--name']);
  if (operand !== undefined) {
    if (/^\d+$/.test(operand))
      usage(`expected a name with a letter, found ${JSON.stringify(operand)}; so many instances: --count ${operand}`);
    said.push([dnsName(operand, 'NAME'), 'NAME']);
  }
  if (said.length > 2) usage('expected two of --job-array-name, --name and NAME at most, found all three');
  const [first, second] = said;
  const [array, from] = first ?? [made(given, standalone, chance), 'name'];
  const usual = standalone ? '{job-array-name}' : second === undefined ? '{job-array-name}-{index}' : '{name}-{index}';
  if (standalone && second !== undefined && given['instance-names'] === undefined && second[0] !== array) {
    usage(`expected one name for one instance, found ${from} ${array} and ${second[1]} ${second[0]}`);
  }
  return { array, from, template: bindName(given['instance-names'] ?? usual, second?.[0] ?? array) };
}

function made(given: Given, standalone: boolean, chance: () => number): string {
  const key = given['idempotency-key'];
  const next = key === undefined ? chance : chanceOf(key);
  const letters = Array.from({ length: CHANCE_LETTERS }, () => LETTERS[Math.floor(next() * LETTERS.length)]!);
  return `${standalone ? 'instance' : 'array'}-${letters.join('')}`;
}

/** Numbers that follow from a text: FNV-1a, then the generator of Park and Miller. */
function chanceOf(text: string): () => number {
  let state = 0x811c9dc5;
  for (const byte of Buffer.from(text)) state = Math.imul(state ^ byte, 0x01000193) >>> 0;
  state = (state % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

function usage(message: string): never {
  throw new SpawnError('USAGE', { message: `launch: ${message}` });
}
