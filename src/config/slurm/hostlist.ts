import { refuse } from './refusal.ts';
import { splitList } from './split-list.ts';

/** A name as its letters and the number at its end. */
interface Host {
  readonly prefix: string;
  /** Undefined for a name without a number. */
  readonly digits: string | undefined;
}

const MOST_HOSTS = 65_536;
const MOST_DIGITS = 15;

function hostOf(name: string): Host {
  const [, prefix = name, digits] = /^(.*?)(\d{1,15})?$/s.exec(name) ?? [];
  return { prefix, digits };
}

/** `n[1-3,5],m5` of names, in their order: neighbours of one prefix share a bracket. */
export function formatHostlist(names: readonly string[]): string {
  const parts: string[] = [];
  const hosts = names.map(hostOf);
  for (let at = 0; at < hosts.length; ) {
    const { prefix, digits } = hosts[at]!;
    let end = at + 1;
    while (digits !== undefined && hosts[end]?.prefix === prefix && hosts[end]!.digits !== undefined) end += 1;
    const numbers = hosts.slice(at, end).map((host) => host.digits ?? '');
    parts.push(end - at === 1 ? names[at]! : `${prefix}[${rangesOf(numbers).join(',')}]`);
    at = end;
  }
  return parts.join(',');
}

function rangesOf(numbers: readonly string[]): string[] {
  const ranges: string[] = [];
  for (let at = 0; at < numbers.length; ) {
    let last = at;
    while (last + 1 < numbers.length && follows(numbers[last]!, numbers[last + 1]!)) last += 1;
    ranges.push(last === at ? numbers[at]! : `${numbers[at]}-${numbers[last]}`);
    at = last + 1;
  }
  return ranges;
}

/** Whether counting on from `a` in its own width gives `b`. */
function follows(a: string, b: string): boolean {
  return b === String(Number(a) + 1).padStart(a.length, '0');
}

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

/** `3,1(x2)` of 3, 1, 1: how SLURM_TASKS_PER_NODE and SLURM_JOB_CPUS_PER_NODE are written. */
export function formatCounts(counts: readonly number[]): string {
  const parts: string[] = [];
  for (let at = 0; at < counts.length; ) {
    let end = at + 1;
    while (counts[end] === counts[at]) end += 1;
    parts.push(end - at === 1 ? String(counts[at]) : `${counts[at]}(x${end - at})`);
    at = end;
  }
  return parts.join(',');
}
