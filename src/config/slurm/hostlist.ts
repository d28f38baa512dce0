import { refuse } from './refusal.ts';
import { splitList } from './split-list.ts';

const MOST_HOSTS = 65_536;
const MOST_DIGITS = 15;

/**
 * The names of `n[01-03,5],m5`.
 * @throws SpawnError with Slurm's words
 */
export function parseHostlist(text: string): readonly string[] {
  const parts = splitList(text, ',').items.filter((part) => part !== '');
  const names = parts.flatMap((part) => expand(part, text));
  if (names.length > MOST_HOSTS) throw invalid(text);
  return names;
}

/** Several brackets in one name make every combination. */
function expand(part: string, whole: string): readonly string[] {
  const open = part.indexOf('[');
  if (open < 0) return [part];
  const close = part.indexOf(']', open);
  if (close < 0) throw invalid(whole);
  // Slurm: nothing but a bracket ends a name that has one.
  if (!part.endsWith(']')) throw invalid(whole);
  const numbers = part.slice(open + 1, close).split(',');
  const heads = numbers.flatMap((range) => numbersOf(range, whole).map((number) => part.slice(0, open) + number));
  const tails = expand(part.slice(close + 1), whole);
  if (heads.length * tails.length > MOST_HOSTS) throw invalid(whole);
  return heads.flatMap((head) => tails.map((tail) => head + tail));
}

function numbersOf(range: string, whole: string): readonly string[] {
  const [, first = '', last = first] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
  const count = Number(last) - Number(first) + 1;
  if (first === '' || last.length > MOST_DIGITS || !(count >= 1 && count <= MOST_HOSTS)) {
    const error = { form: 'error', text: `_parse_single_range: Invalid range: \`${range}'` } as const;
    throw refuse([error, { form: 'bare', text: `Invalid hostlist: ${whole}` }], 1);
  }
  return Array.from({ length: count }, (_, k) => String(Number(first) + k).padStart(first.length, '0'));
}

function invalid(text: string) {
  return refuse([{ form: 'bare', text: `Invalid hostlist: ${text}` }], 1);
}
