import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runLanes } from './lanes.ts';
import { wanted as wantedOf } from './normalise.ts';
import { readTopic, topics } from './read-scenarios.ts';
import { needsAccounting, startReal } from './real-side.ts';
import type { Scenario, Transcript } from './scenario.ts';
import { makeFolder, type Side } from './side.ts';
import { startSpawn } from './spawn-side.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { real: { type: 'boolean' }, spawn: { type: 'boolean' }, quiet: { type: 'boolean', short: 'q' } },
});
const both = values.real === values.spawn;
const chosen = (id: string) => positionals.length === 0 || positionals.some((part) => id.startsWith(part));
const asked = topics().flatMap((topic) => readTopic(topic).filter(({ id }) => chosen(id)));
if (asked.length === 0) {
  console.error('main.ts [--real|--spawn] [-q] [ID…]: runs scenarios on a side, or on both and shows how they differ');
  process.exit(2);
}
const dir = makeFolder();
let failed = 0;
try {
  for (const accounting of [false, true]) {
    const some = topics()
      .filter((topic) => needsAccounting(topic) === accounting)
      .flatMap((topic) => readTopic(topic).filter(({ id }) => chosen(id)));
    if (some.length > 0) await compare(some, accounting);
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
console.log(`${asked.length - failed} of ${asked.length} as wanted`);
process.exitCode = failed > 0 ? 1 : 0;

async function compare(scenarios: readonly Scenario[], accounting: boolean): Promise<void> {
  const sides: Side[] = [];
  try {
    if (both || values.real === true) sides.push(await startReal(join(dir, `r-${accounting}`), { accounting }));
    if (both || values.spawn === true) sides.push(await startSpawn(join(dir, `s-${accounting}`)));
    const found = sides.map((side) => runLanes(side, scenarios, side.name === 'real' ? 4 : 2));
    for (const scenario of scenarios) {
      const transcripts = found.map((ends) => ends.get(scenario.id)!.catch((error: unknown) => String(error)));
      report(scenario, await Promise.all(transcripts));
    }
  } finally {
    for (const side of sides) await side.close();
  }
}

function report(scenario: Scenario, [first = '', second]: readonly Transcript[]): void {
  const wanted = second === undefined ? '' : judge(() => wantedOf(first, scenario));
  const equal = second === undefined || wanted === second;
  if (!equal) failed += 1;
  console.log(`${equal ? 'ok  ' : 'DIFF'} ${scenario.id}`);
  if (second === undefined && values.quiet !== true) console.log(first);
  if (!equal) show(wanted, second);
}

function judge(give: () => string): string {
  try {
    return give();
  } catch (error) {
    return String(error);
  }
}

/** What differs, from the first such line to the last, as a scenario names it after `@differs`. */
function show(wanted: string, found: string): void {
  const lines = differing(wanted.split('\n'), found.split('\n'));
  const changed = lines.map((line) => !line.startsWith(' '));
  for (const line of lines.slice(changed.indexOf(true), changed.lastIndexOf(true) + 1)) console.log(line);
}

/** Both texts, line by line: ` ` both have it, `-` only the left one, `+` only the right one. */
function differing(left: readonly string[], right: readonly string[]): readonly string[] {
  const longest = Array.from({ length: left.length + 1 }, () => new Array<number>(right.length + 1).fill(0));
  for (let i = left.length - 1; i >= 0; i--) {
    for (let k = right.length - 1; k >= 0; k--) {
      const kept = left[i] === right[k] ? 1 + longest[i + 1]![k + 1]! : 0;
      longest[i]![k] = Math.max(kept, longest[i + 1]![k]!, longest[i]![k + 1]!);
    }
  }
  const lines: string[] = [];
  let [i, k] = [0, 0];
  while (i < left.length || k < right.length) {
    if (i < left.length && k < right.length && left[i] === right[k]) {
      lines.push(` ${left[i++]}`);
      k += 1;
    } else if (i < left.length && (k === right.length || longest[i + 1]![k]! >= longest[i]![k + 1]!))
      lines.push(`-${left[i++]}`);
    else lines.push(`+${right[k++]}`);
  }
  return lines;
}
