import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { wanted as wantedOf } from './normalise.ts';
import { readTopic, topics } from './read-scenarios.ts';
import { startReal } from './real-side.ts';
import { makeFolder, type Side } from './side.ts';
import { startSpawn } from './spawn-side.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { real: { type: 'boolean' }, spawn: { type: 'boolean' }, quiet: { type: 'boolean', short: 'q' } },
});
const both = values.real === values.spawn;
const asked = topics()
  .flatMap(readTopic)
  .filter(({ id }) => positionals.length === 0 || positionals.some((part) => id.startsWith(part)));
if (asked.length === 0) {
  console.error('main.ts [--real|--spawn] [-q] [ID…]: runs scenarios on a side, or on both and shows how they differ');
  process.exit(2);
}
const dir = makeFolder();
const sides: Side[] = [];
let failed = 0;
try {
  const accounting = asked.some(({ id }) => id.startsWith('sacct') || id.startsWith('client'));
  if (both || values.real === true) sides.push(await startReal(join(dir, 'r'), { accounting }));
  if (both || values.spawn === true) sides.push(await startSpawn(join(dir, 's')));
  for (const scenario of asked) {
    const began = performance.now();
    const texts = await Promise.all(
      sides.map(async (side) => {
        const text = await side.run(scenario).catch((error: unknown) => String(error));
        return { text, seconds: ((performance.now() - began) / 1000).toFixed(1) };
      }),
    );
    const [first, second] = texts;
    const wanted =
      first === undefined ? '' : second === undefined ? first.text : judge(() => wantedOf(first.text, scenario));
    const equal = second === undefined || wanted === second.text;
    if (!equal) failed += 1;
    console.log(`${equal ? 'ok  ' : 'DIFF'} ${scenario.id} (${texts.map(({ seconds }) => `${seconds} s`).join(', ')})`);
    if (second === undefined && values.quiet !== true) console.log(first?.text);
    if (!equal) show(wanted, second.text);
  }
} finally {
  for (const side of sides) await side.close();
  rmSync(dir, { recursive: true, force: true });
}
console.log(`${asked.length - failed} of ${asked.length} as wanted`);
process.exitCode = failed > 0 ? 1 : 0;

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
