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

/** Lines that only one has: `-` of what is wanted, `+` of what was found; both in full where little is equal. */
function show(wanted: string, found: string): void {
  const [left, right] = [wanted.split('\n'), found.split('\n')];
  let at = 0;
  for (const line of left) {
    const next = right.indexOf(line, at);
    if (next < 0) {
      console.log(`    - ${line}`);
      continue;
    }
    for (; at < next; at++) console.log(`    + ${right[at]}`);
    if (line.startsWith('$ ')) console.log(`      ${line}`);
    at = next + 1;
  }
  for (; at < right.length; at++) console.log(`    + ${right[at]}`);
}
