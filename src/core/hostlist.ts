/** A name as its letters and the number at its end. */
interface Host {
  readonly prefix: string;
  /** Undefined for a name without a number. */
  readonly digits: string | undefined;
}

function hostOf(name: string): Host {
  const [, prefix, digits] = /^(.*?)(\d{1,15})?$/s.exec(name)!;
  return { prefix: prefix!, digits };
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
