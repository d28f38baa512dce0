// Writes docs/benchmarks.md from bench/results/*.json, so that the page shows no figure that was not measured.
// `--check` writes nothing and fails when the page differs.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { QUESTIONS } from './benchmark-questions.mjs';
import { number } from './figures.mjs';

const page = new URL('../docs/benchmarks.md', import.meta.url);

function resultOf({ file, args = '' }) {
  const path = new URL(`../bench/results/${file}.json`, import.meta.url);
  const command = `node bench/${file}.ts${args}`;
  if (!existsSync(path)) return { command };
  const result = JSON.parse(readFileSync(path, 'utf8'));
  const ran = result.command.replace('node ./', 'node ');
  // A quick run with fewer tasks or rounds leaves figures too, but not those that this page promises.
  if (ran !== command) throw new Error(`bench/results/${file}.json is of \`${ran}\`; run \`${command}\``);
  return { command, result };
}

const asked = QUESTIONS.map((question) => ({ ...question, ...resultOf(question) }));
const measured = asked.filter(({ result }) => result !== undefined);
const results = [...new Map(measured.map(({ file, result }) => [file, result])).values()];
const peers = measured.find(({ file }) => file === 'queue-peers')?.result;
const missed = measured.filter(({ result, reached }) => !reached(result));
const distinct = (values) => [...new Set(values)].join(', ');
const range = (values) =>
  Math.min(...values) === Math.max(...values) ? [values[0]] : [Math.min(...values), Math.max(...values)];

function row({ question, result, command, show, goal, reached }) {
  const cells =
    result === undefined ? ['not measured yet', goal, ''] : [show(result), goal, reached(result) ? 'yes' : 'no'];
  return `| ${[question, ...cells, `\`${command}\``].join(' | ')} |`;
}

function peerRow(name) {
  const peer = peers[name];
  const rate = (key) => `${number(peer[key].median)}/s`;
  return `| ${[
    name,
    peer.setting,
    rate('tasks per second'),
    rate('tasks per second with adding'),
    `${number(peer['spawn / peer, median of pairs'])} x`,
    `${number(peer['spawn / peer with adding, median of pairs'])} x`,
  ].join(' | ')} |`;
}

const peerNames = Object.keys(peers ?? {}).filter((name) => peers[name]?.setting !== undefined);
const days = range(results.map(({ at }) => Date.parse(at))).map((at) => new Date(at).toISOString().slice(0, 10));
const loads = range(results.map((result) => result['load average before it']).filter((load) => load !== undefined)).map(
  number,
);

const text = `# Benchmarks

<!-- Written by \`npm run docs:benchmarks\` from bench/results/*.json; do not edit. -->

One file of \`bench/\` asks one question, starts a server of its own in a folder of its own, and keeps every figure in
\`bench/results/\`. What is compared runs in turn, in one run, on the same cores; shown are medians, and ratios are the median of
the ratios of neighbours. A machine that other work shares varies by two to three times from run to run, so a ratio says more
than a figure alone. Every end of a task is on disk before it counts.

Measured ${distinct(days).replace(', ', ' to ')} on ${distinct(results.map(({ cpu }) => cpu))}, Linux ${distinct(results.map(({ kernel }) => kernel))}, Node ${distinct(results.map(({ node }) => node))}; load average
before a benchmark: ${loads.join(' to ')}. Server, worker and measuring process share these cores. Run \`npm run build\` first, and
let nothing else run.

| Question | Result | Goal | Reached | How to run |
|---|---|---|---|---|
${asked.map(row).join('\n')}
${
  peerNames.length === 0
    ? ''
    : `
## Task queues

${number(peers.tasks)} no-op tasks through each, ${number(peers.rounds)} rounds in turn. Each side has a server process and one process that works; for spawn that is
a benchmark worker which takes tasks and reports their ends, for the others their own worker with the settings for speed.
spawn's time begins before the submit. A peer's begins after all its tasks were added, and the column *with adding* counts that
too. PostgreSQL syncs every commit to disk, as spawn does; Redis syncs once a second.

Two things favour spawn here: its tasks are one array, granted and reported in runs of many, while the others keep a row for each
and call a function for each; and the load average before this run was ${number(peers['load average before it'])}, which slows most whoever needs most round trips.

| Queue | Setting | Tasks | with adding | spawn is | with adding |
|---|---|---|---|---|---|
| spawn | an array of ${number(peers.tasks)} | | ${number(peers.spawn['tasks per second'].median)}/s | | |
${peerNames.map(peerRow).join('\n')}

The peers are no dependencies of spawn: \`npm ci --prefix bench/peers\` installs them, and the servers are Debian's packages
\`redis-server\` and \`postgresql\`. What is not there is skipped with a line that says so.
`
}
## What is not reached

${missed.length === 0 ? 'Every goal above is reached.' : missed.map(({ question, result, because }) => `- **${question}**: ${because?.(result) ?? 'not profiled yet.'}`).join('\n')}

Not measured: HyperQueue beside spawn, more than one machine, arrays of a million distinct parts, disks that sync
more slowly than this one.
`;

if (process.argv.includes('--check')) {
  if (readFileSync(page, 'utf8') !== text) {
    console.error('docs/benchmarks.md is not what bench/results says; run `npm run docs:benchmarks`');
    process.exitCode = 1;
  }
} else {
  writeFileSync(page, text);
}
