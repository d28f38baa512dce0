import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aJob, runCli } from '../../../test/support/cli-world.ts';
import { anInstance } from '../../../test/support/instance-views.ts';
import { hasProgram, requireOr } from '../../../test/support/require.ts';
import { COMMANDS } from '../registry.ts';
import { SLURM_COMMANDS } from '../slurm/registry.ts';

const LIMIT_MS = 20_000;

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-completion-'));
  // What the shells call for jobs and instances; all else is in the scripts.
  writeFileSync(
    join(folder, 'spawn'),
    '#!/bin/sh\n[ "$*" = "complete jobs" ] && printf "12\\tfit (running)\\nfit\\tby name\\n"\n' +
      '[ "$*" = "complete instances" ] && printf "compute-0\\ti-0abc (running)\\n"\n',
  );
  chmodSync(join(folder, 'spawn'), 0o755);
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { out, code } = await runCli(['completion', shell]);
    expect(code).toBe(0);
    writeFileSync(join(folder, `script.${shell}`), out);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

async function run(program: string, ...args: string[]): Promise<string> {
  const env = { PATH: `${folder}:${process.env.PATH}`, HOME: folder, TERM: 'xterm', LANG: 'C.UTF-8' };
  const { stdout } = await promisify(execFile)(program, args, { env, cwd: folder, timeout: LIMIT_MS });
  return stdout;
}

/** The last word is what is being typed. */
const cases: readonly (readonly [words: readonly string[], found: readonly string[], not: readonly string[]])[] = [
  [['su'], ['submit'], ['list']],
  [['submit', '--retry-b'], ['--retry-backoff'], ['--retries']],
  [['submit', '--retry-backoff', ''], ['fixed', 'exponential'], []],
  [['tasks', '-o', ''], ['json', 'jsonl'], []],
  [['logs', ''], ['12', 'fit'], []],
  [['stop', ''], ['compute-0'], ['fit']],
  [['server', ''], ['start', 'stop', 'status'], []],
  [['config', 's'], ['set'], ['get']],
  [['help', 'wa'], ['wait', 'watch'], ['list']],
];

describe('bash', () => {
  const ifBash = requireOr('bash', hasProgram('bash'));

  async function completed(words: readonly string[]): Promise<string[]> {
    const program = `source script.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _spawn; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return (await run('bash', '-c', program, 'bash', 'spawn', ...words)).trim().split('\n');
  }

  ifBash.each(cases)('%j', async (words, found, not) => {
    const offered = await completed(words);
    expect(offered).toEqual(expect.arrayContaining([...found]));
    for (const word of not) expect(offered).not.toContain(word);
  });

  ifBash('a value after "=", which bash takes for a word', async () => {
    expect(await completed(['submit', '--retry-backoff', '=', 'f'])).toEqual(['fixed']);
    expect(await completed(['submit', '--retry-backoff', '='])).toEqual(['fixed', 'exponential']);
  });

  ifBash('every command and every option', async () => {
    const names = [...COMMANDS, ...SLURM_COMMANDS].map(({ name }) => name);
    expect(await completed([''])).toEqual([...names, 'help', '--help', '--version']);
    for (const { name, load } of SLURM_COMMANDS) {
      expect(await completed([name, '--'])).toEqual((await load()).options.map(({ long }) => `--${long}`));
    }
    for (const { name, load } of COMMANDS) {
      const shown = Object.entries((await load()).options).filter(([, { hidden }]) => !hidden);
      const options = shown.map(([option]) => `--${option}`);
      expect(await completed([name, '--'])).toEqual([...options, '--help']);
    }
  });
});

describe('fish', () => {
  const ifFish = requireOr('fish', hasProgram('fish'));

  ifFish.each(cases)('%j', async (words, found, not) => {
    const line = ['spawn', ...words].join(' ');
    const text = await run('fish', '-c', `source script.fish; complete -C ${JSON.stringify(line)}`);
    const offered = text.split('\n').map((row) => row.split('\t')[0]);
    expect(offered).toEqual(expect.arrayContaining([...found]));
    for (const word of not) expect(offered).not.toContain(word);
  });
});

describe('zsh', () => {
  const ifZsh = requireOr('zsh', hasProgram('zsh'));

  /** What a terminal shows after Tab was pressed twice. Completion works on a terminal only, so it is given one. */
  async function shown(line: string): Promise<string> {
    const program = `
      zmodload zsh/zpty
      zpty z zsh -f -i
      zpty -w z 'autoload -Uz compinit; compinit -u -D; source script.zsh; LISTMAX=10000; PS1=PRO""MPT'
      zpty -r z out '*PROMPT*'
      zpty -w -n z $1$'\\t\\t'
      zpty -w -n z $'\\C-u'
      zpty -w z 'print DO""NE'
      zpty -r z out '*DONE*'
      print -r -- $out
      zpty -d z`;
    return run('zsh', '-f', '-c', program, 'zsh', line);
  }

  ifZsh.each(cases)('%j', async (words, found, not) => {
    const text = await shown(['spawn', ...words].join(' '));
    for (const word of found) expect(text).toContain(word);
    for (const word of not) expect(text).not.toMatch(new RegExp(`(?<!-)\\b${word}\\b`));
  });
});

describe('spawn complete jobs', () => {
  const jobs = async () => ({
    jobs: [
      aJob({ id: 4, name: 'fit' }),
      aJob({ id: 3, name: 'twice' }),
      aJob({ id: 2, name: 'twice' }),
      aJob({ id: 1, name: 'old', state: 'completed', endedAt: 5 }),
    ],
  });

  test('numbers, and names that one live job has', async () => {
    const { out, calls } = await runCli(['complete', 'jobs'], { client: { jobs } });
    expect(out).toBe('4\tfit (ready)\n3\ttwice (ready)\n2\ttwice (ready)\n1\told (completed)\nfit\tby name\n');
    expect(calls[0]).toMatchObject(['jobs', { show: 'all', limit: 50 }, { retryForMs: 0 }]);
  });

  test('nothing where none runs, where it fails and for what it does not know', async () => {
    const nothing = { code: 0, out: '', err: '' };
    const world = { connectIfRunning: async () => undefined };
    expect(await runCli(['complete', 'jobs'], { client: { jobs }, world })).toMatchObject(nothing);
    expect(await runCli(['complete', 'jobs'])).toMatchObject(nothing);
    expect(await runCli(['complete'], { client: { jobs } })).toMatchObject(nothing);
  });
});

describe('spawn complete instances', () => {
  test('names of those that are there, each once, with id and state', async () => {
    const gone = anInstance(0, { state: 'terminated' });
    const instances = async () => ({
      instances: [gone, anInstance(0, { generation: 2, id: 'i-0abc' }), anInstance(1)],
    });
    const { out, calls } = await runCli(['complete', 'instances'], { client: { instances } });
    expect(out).toBe('compute-0\ti-0abc (running)\ncompute-1\ti-00000000000000001 (running)\n');
    expect(calls[0]).toMatchObject(['instances', { limit: 500 }, { retryForMs: 0 }]);
  });
});
