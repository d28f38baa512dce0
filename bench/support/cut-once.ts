// Plans one input and says in one line of JSON what it took: `node cut-once.ts '{"type":"text",…}'`. A process of its own, so that
// its peak memory is that of this plan.
import { createHash } from 'node:crypto';
import { InputSpec } from '../../src/api/data.ts';
import { planInput } from '../../src/inputs/plan-input.ts';
import { openSources } from '../../src/inputs/sources/open.ts';
import { resolveSources } from '../../src/inputs/sources/resolve.ts';

const input = InputSpec.parse(JSON.parse(process.argv[2]!));
let kept = 0;
const sink = {
  put: async (bytes: Uint8Array) => {
    kept += bytes.length;
    return createHash('sha256').update(bytes).digest('hex');
  },
};
const signal = new AbortController().signal;
const sources = 'from' in input ? resolveSources(input.from, input.exclude, { cwd: '/' }) : noSources();
const before = process.memoryUsage.rss();
const started = performance.now();
const cpu = process.cpuUsage();
const { manifest } = await planInput(input, { sources, reader: openSources(), sink, signal });
const ms = performance.now() - started;
const { user, system } = process.cpuUsage(cpu);
console.log(
  JSON.stringify({
    ms,
    cpuMs: (user + system) / 1000,
    parts: manifest.parts,
    records: manifest.records,
    kept,
    rssBeforeMb: before / 1e6,
    peakMb: process.resourceUsage().maxRSS / 1e3,
  }),
);

async function* noSources(): AsyncIterable<never> {}
