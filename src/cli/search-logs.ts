import type { GrepMatch, GrepQueryInput, LogDiffQueryInput, LogDiffReply } from '../api/insight.ts';
import { type Paint, painter } from './output/color.ts';
import { counted, oneLine, shownCount } from './output/format.ts';
import { JsonArray, jsonText } from './output/json.ts';
import { type Column, Table } from './output/table.ts';
import type { World } from './world.ts';

type Format = 'json' | 'jsonl' | undefined;

/** As grep(1): nothing was found. */
const NOTHING = 1;
/** Lines are gathered into pieces: a write a line is slow. */
const PIECE = 64 * 1024;

/** Shows every line of logs that fits, as `12_7: line`. @returns the exit code */
export async function showMatches(world: World, ref: string, query: GrepQueryInput, format: Format): Promise<number> {
  const { stdout } = world;
  const client = await world.connect();
  const { id } = await client.job(ref);
  const json = format === 'json' ? new JsonArray((text) => stdout.write(text)) : undefined;
  const pattern = new RegExp(query.pattern, query.ignoreCase === '1' ? 'giv' : 'gv');
  const paint = painter(stdout.colour);
  let waiting = '';
  let found = 0;
  for await (const match of client.grep(String(id), query)) {
    found += 1;
    if (json !== undefined) {
      json.add([matchJson(id, match)]);
      continue;
    }
    if (format === 'jsonl') waiting += `${JSON.stringify(matchJson(id, match))}\n`;
    else if (stdout.isTTY)
      waiting += `${paint('cyan', `${id}_${match.index}:`)} ${marked(match.text, pattern, paint)}\n`;
    else waiting += `${id}_${match.index}: ${match.text}\n`;
    // On a terminal each line is for someone who waits for it.
    if (waiting.length < PIECE && !stdout.isTTY) continue;
    stdout.write(waiting);
    waiting = '';
  }
  stdout.write(waiting);
  json?.end();
  return found === 0 ? NOTHING : 0;
}

function matchJson(job: number, { index, attempt, stream, text }: GrepMatch): object {
  return { task: `${job}_${index}`, index, attempt, stream, text };
}

/** What fits, in red; without what would steer the terminal. */
function marked(text: string, pattern: RegExp, paint: Paint): string {
  let shown = '';
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    shown += oneLine(text.slice(from, match.index)) + (match[0] === '' ? '' : paint('red', oneLine(match[0])));
    from = match.index + match[0].length;
  }
  return shown + oneLine(text.slice(from));
}

const columns: readonly Column<LogDiffReply['lines'][number]>[] = [
  { title: 'TASKS', right: true, value: ({ tasks }) => shownCount(tasks), plain: ({ tasks }) => String(tasks) },
  { title: 'EXAMPLE', value: ({ example }) => example },
  { title: 'LINE', value: ({ text }) => text },
];

/** Shows what only failed tasks say, most frequent first. @returns the exit code */
export async function showLogDiff(
  world: World,
  ref: string,
  query: LogDiffQueryInput,
  format: Format,
): Promise<number> {
  const { stdout, stderr } = world;
  const reply = await (await world.connect()).diffLogs(ref, query);
  const { lines, failedRead, completedRead, sampled } = reply;
  if (format === 'jsonl') stdout.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  else if (format === 'json') {
    stdout.write(jsonText({ failed_read: failedRead, completed_read: completedRead, sampled, lines }));
  } else {
    if (lines.length > 0) stdout.write(new Table(columns, stdout).render(lines));
    const read = `${shownCount(failedRead)} failed and ${counted(completedRead, 'completed task')} read`;
    stderr.write(`spawn: ${read}${sampled ? ', a sample: a line may occur in completed tasks that were not' : ''}\n`);
  }
  return lines.length === 0 ? NOTHING : 0;
}
