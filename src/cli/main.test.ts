import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { runCli } from '../../test/support/cli-world.ts';
import { SpawnError } from '../core/errors.ts';
import { COMMANDS } from './registry.ts';

describe('help', () => {
  test('lists every verb in one line each', async () => {
    const { out, code } = await runCli(['--help']);
    expect(code).toBe(0);
    for (const { name, summary } of COMMANDS) expect(out).toMatch(new RegExp(`^ {2}${name} +${summary}$`, 'm'));
  });

  test('is the same by every way to ask for it', async () => {
    const { out } = await runCli(['--help']);
    for (const words of [['-h'], ['help'], ['help', 'help']]) expect((await runCli(words)).out).toBe(out);
    const jobs = (await runCli(['help', 'jobs'])).out;
    for (const words of [
      ['jobs', '--help'],
      ['jobs', '--all', '-h'],
    ])
      expect((await runCli(words)).out).toBe(jobs);
    expect(jobs).toMatch(/^Usage: spawn jobs \[options\]\n/);
  });

  test.each(COMMANDS.map(({ name }) => name))(
    '%s has usage, every option, an example, and fits 120 columns',
    async (name) => {
      const command = await COMMANDS.find((entry) => entry.name === name)!.load();
      const { out } = await runCli(['help', name]);
      expect(out).toContain(`Usage: spawn ${name}`);
      for (const [option, { hidden }] of Object.entries(command.options)) {
        if (!hidden) expect(out).toContain(`--${option}`);
      }
      expect(command.examples.length).toBeGreaterThan(0);
      for (const { line } of command.examples) expect(line).toMatch(new RegExp(`\\bspawn ${name}\\b`));
      expect(out.split('\n').filter((line) => line.length > 120)).toEqual([]);
    },
  );

  test('no verb at all: help on standard error, and exit code 2', async () => {
    const ran = await runCli([]);
    expect(ran).toMatchObject({ code: 2, out: '' });
    expect(ran.err).toBe((await runCli(['--help'])).out);
  });
});

describe('refused', () => {
  test.each([
    [['lsit'], 'unknown command "lsit"; did you mean "list"?'],
    [['xyzzy'], 'unknown command "xyzzy"; see: spawn --help'],
    [['constructor'], 'unknown command "constructor"; see: spawn --help'],
    [['--json'], 'unknown option "--json"; see: spawn --help'],
    [['help', 'lsit'], 'unknown command "lsit"; did you mean "list"?'],
    [['help', 'list', 'tasks'], 'help: expected only one COMMAND, found "tasks" too'],
  ])('%j', async (words, message) => {
    expect(await runCli(words)).toEqual({ code: 2, out: '', err: `spawn: ${message}\n`, calls: [] });
  });
});

describe('errors', () => {
  test('of the coordinator keep their message and exit code', async () => {
    const job = async () => {
      throw new SpawnError('JOB_NOT_FOUND', { ref: '99' });
    };
    expect(await runCli(['status', '99'], { client: { summary: job } })).toMatchObject({
      code: 66,
      err: 'spawn: job "99" not found\n',
    });
  });

  test('that nobody expected are one line, and a stack with SPAWN_DEBUG', async () => {
    const job = async () => {
      throw new TypeError('broken\nin two lines');
    };
    const ran = await runCli(['status', '1'], { client: { summary: job } });
    expect(ran).toMatchObject({ code: 70, err: 'spawn: internal error: broken (SPAWN_DEBUG=1 shows where)\n' });
    const debug = await runCli(['status', '1'], { client: { summary: job }, world: { env: { SPAWN_DEBUG: '1' } } });
    expect(debug.err).toMatch(/^spawn: internal error: broken\nTypeError: broken\n.*\n +at /);
  });
});

test('no verb is loaded before it is asked for', () => {
  const source = readFileSync(new URL('./registry.ts', import.meta.url), 'utf8');
  expect(source).not.toMatch(/^import .*commands/m);
  expect(COMMANDS.map(({ name }) => name)).toHaveLength(new Set(COMMANDS.map(({ name }) => name)).size);
});
