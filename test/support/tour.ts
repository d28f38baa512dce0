import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type OwnHome, ownHome } from './own-home.ts';

const root = new URL('../../', import.meta.url);
export const README = new URL('README.md', root);
const MARK = '---8<---';
const COLUMNS = 100;
/** A control sequence, an end of line or text between them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are made of them
const PIECE = /\x1b\[\??\d*[A-Za-z]|[\r\n]|[^\x1b\r\n]+/g;

/** A command of the README's tour and what is said that it prints. */
export interface Step {
  readonly command: string;
  readonly output: string;
}

const BLOCK = /^```console\n([\s\S]*?)^```/gm;

/** The commands of the tour in a text, in order. */
export function readTour(text: string): Step[] {
  return [...text.matchAll(BLOCK)].flatMap(([, block = '']) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((step) => {
        const [command = '', ...output] = step.trimEnd().split('\n');
        return { command, output: output.join('\n') };
      }),
  );
}

/** The text with these outputs in the place of those that it has. */
export function writeTour(text: string, outputs: readonly string[]): string {
  let at = 0;
  return text.replaceAll(BLOCK, (_, block: string) => {
    const steps = readTour(`\`\`\`console\n${block}\`\`\``).map(({ command }) => {
      const output = outputs[at++]!;
      return output === '' ? `$ ${command}\n` : `$ ${command}\n${output}\n`;
    });
    return `\`\`\`console\n${steps.join('')}\`\`\``;
  });
}

/** Runs the commands in one shell on a terminal, as Ada, who has nothing yet; gives what each one leaves on the screen. */
export function runTour(steps: readonly Step[]): string[] {
  const home = ownHome();
  try {
    cpSync(new URL('examples', root), join(home.folder, 'examples'), { recursive: true });
    const screen = onTerminal(home, steps);
    return screen
      .split(`${MARK}\n`)
      .slice(0, -1)
      .map((output) => ofAda(output, home.folder));
  } finally {
    home.close();
  }
}

function ofAda(output: string, folder: string): string {
  return output
    .replaceAll(join(folder, 'data'), '/home/ada/.local/share/spawn')
    .replaceAll(join(folder, 'run'), '/run/user/1000/spawn')
    .replaceAll(folder, '/home/ada')
    .replaceAll(new RegExp(`\\bon ${hostname()}\\b`, 'g'), 'on laptop')
    .replaceAll(/[ \t]+$/gm, '')
    .trimEnd();
}

function onTerminal(home: OwnHome, steps: readonly Step[]): string {
  // Programs and no shell functions: what the shell kills must be the program, not a shell around it.
  const bin = join(home.folder, 'bin');
  mkdirSync(bin);
  for (const name of ['spawn', 'spored']) {
    const program = fileURLToPath(new URL(`dist/bin/${name}.js`, root));
    writeFileSync(join(bin, name), `#!/bin/sh\nexec '${process.execPath}' -- '${program}' "$@"\n`, { mode: 0o755 });
  }
  const script = [
    `stty cols ${COLUMNS} rows 40 -echo`,
    ...steps.flatMap(({ command }) => [command, `echo '${MARK}'`]),
  ].join('\n');
  const ran = spawnSync('script', ['-qec', 'bash -c "$TOUR"', '/dev/null'], {
    cwd: home.folder,
    env: {
      ...home.env,
      PATH: `${bin}:${home.env.PATH}`,
      TOUR: script,
      TERM: 'xterm',
      NO_COLOR: '1',
      TZ: 'UTC',
      SHELL: '/bin/bash',
    },
    encoding: 'utf8',
    input: '',
    timeout: 240_000,
  });
  return shown(ran.stdout);
}

/** What is seen on a terminal in the end: the few control sequences that spawn writes are followed, others are an error. */
function shown(text: string): string {
  const lines = [''];
  let at = 0;
  for (const [piece] of text.replaceAll('\r\n', '\n').matchAll(PIECE)) {
    if (piece === '\n') at += 1;
    else if (piece === '\r') lines[at] = `\r${lines[at]!}`;
    else if (piece === '\x1b[K') lines[at] = '';
    else if (piece === '\x1b[J') lines.splice(at, lines.length, '');
    else if (piece.endsWith('A')) at = Math.max(0, at - Number(piece.slice(2, -1)));
    else if (piece.startsWith('\x1b'))
      throw new Error(`a control sequence that the tour does not know: ${JSON.stringify(piece)}`);
    else lines[at] = (lines[at]!.startsWith('\r') ? '' : lines[at]!) + piece;
    lines[at] ??= '';
  }
  return lines.map((line) => line.replaceAll('\r', '')).join('\n');
}

export function readReadme(): string {
  return readFileSync(README, 'utf8');
}
