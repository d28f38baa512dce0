import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Difference, Scenario } from './scenario.ts';

const folder = fileURLToPath(new URL('./scenarios/', import.meta.url));

/** Names of the files of scenarios, without their ending. */
export function topics(): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.txt'))
    .map((name) => name.replace('.txt', ''))
    .sort();
}

/** The scenarios of a file `scenarios/TOPIC.txt`. */
export function readTopic(topic: string): readonly Scenario[] {
  return parseScenarios(readFileSync(`${folder}${topic}.txt`, 'utf8'), topic);
}

/**
 * Reads scenarios. Each begins with `== id: title`; then come the steps, a line each, and these words at the beginning of a line:
 * `@alone` and `@root` (see Scenario), `@normalise s/PATTERN/INSTEAD/`, and `@differs ID`, which is followed by lines as a diff has
 * them: ` ` both, `-` Slurm, `+` spawn. `#` begins a comment.
 */
export function parseScenarios(text: string, topic: string): readonly Scenario[] {
  return text
    .split(/^== /m)
    .slice(1)
    .map((block) => parseScenario(block, topic));
}

function parseScenario(block: string, topic: string): Scenario {
  const [head = '', ...rest] = block.split('\n');
  const [, id, title] = /^([a-z0-9-]+): (.+)$/.exec(head) ?? [];
  if (id === undefined || title === undefined)
    throw new Error(`${topic}: expected \`== id: title\`, found \`== ${head}\``);
  const steps: string[] = [];
  const normalise: [RegExp, string][] = [];
  const differences: Difference[] = [];
  const flags = { alone: false, root: false };
  for (let at = 0; at < rest.length; at++) {
    const line = rest[at]!;
    const [word, value] = split(line);
    if (word === '@alone' || word === '@root') flags[word === '@alone' ? 'alone' : 'root'] = true;
    else if (word === '@normalise') normalise.push(parseReplacement(value, id));
    else if (word === '@differs') {
      const lines: string[] = [];
      while (/^[ +-]/.test(rest[at + 1] ?? '')) lines.push(rest[++at]!);
      differences.push(parseDifference(value, lines, id));
    } else if (word.startsWith('@')) throw new Error(`${id}: expected a known word, found ${word}`);
    else if (line !== '' && !line.startsWith('#')) steps.push(line);
  }
  return { id, title, lines: steps.join('\n'), normalise, differences, ...flags };
}

function split(line: string): [string, string] {
  const blank = line.indexOf(' ');
  return blank < 0 ? [line, ''] : [line.slice(0, blank), line.slice(blank + 1)];
}

function parseReplacement(text: string, id: string): [RegExp, string] {
  const [, pattern, instead] = /^s\/((?:[^/\\]|\\.)+)\/((?:[^/\\]|\\.)*)\/$/.exec(text) ?? [];
  if (pattern === undefined || instead === undefined)
    throw new Error(`${id}: expected s/PATTERN/INSTEAD/, found ${text}`);
  return [new RegExp(pattern, 'gm'), instead];
}

function parseDifference(of: string, lines: readonly string[], id: string): Difference {
  const side = (sign: string) =>
    lines
      .filter((line) => line.startsWith(' ') || line.startsWith(sign))
      .map((line) => line.slice(1))
      .join('\n');
  const [real, spawn] = [side('-'), side('+')];
  if (real === '' || real === spawn)
    throw new Error(`${id}: expected what differs (${of}), found ${lines.length} lines`);
  return { id: of, real, spawn };
}
