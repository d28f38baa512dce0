import { SpawnError } from '../core/errors.ts';
import { didYouMean } from '../core/nearest.ts';
import type { Entry } from './command.ts';
import { parseCommandLine } from './parse-command-line.ts';
import { COMMANDS } from './registry.ts';
import { reportError } from './report-error.ts';
import { SLURM_COMMANDS } from './slurm/registry.ts';
import type { World } from './world.ts';

/**
 * The program `spawn`.
 * @param argv the words after its name
 * @param world default: this process
 * @returns the exit code
 */
export async function main(argv: string[], world?: World): Promise<number> {
  const real = world ?? (await (await import('./process-world.ts')).processWorld());
  try {
    return await run(argv, real);
  } catch (error) {
    return reportError(error, real);
  } finally {
    await real.close();
  }
}

async function run(argv: readonly string[], world: World): Promise<number> {
  const [verb, ...args] = argv;
  if (verb === undefined) {
    world.stderr.write(await overviewText());
    return 2;
  }
  if (verb === '--help' || verb === '-h') return print(world, await overviewText());
  if (verb === 'help') return help(args, world);
  if (verb === 'complete') return (await import('./complete.ts')).complete(args, world);
  const slurm = SLURM_COMMANDS.find(({ name }) => name === verb);
  if (slurm !== undefined) return (await slurm.load()).run(args, world);
  const command = await find(verb).load();
  const input = parseCommandLine(verb, command, args);
  if (input === 'help') return help([verb], world);
  return command.run(input, world);
}

function find(verb: string): Entry {
  const entry = COMMANDS.find(({ name }) => name === verb);
  if (entry !== undefined) return entry;
  const what = verb.startsWith('-') ? 'option' : 'command';
  const names = verb.startsWith('-')
    ? []
    : [...COMMANDS.map(({ name }) => name), ...SLURM_COMMANDS.map(({ name }) => name), 'help'];
  const meant = didYouMean(verb, names) || '; see: spawn --help';
  throw new SpawnError('USAGE', { message: `unknown ${what} ${JSON.stringify(verb)}${meant}` });
}

async function help(verbs: readonly string[], world: World): Promise<number> {
  const [verb, surplus] = verbs;
  if (surplus !== undefined) {
    throw new SpawnError('USAGE', { message: `help: expected only one COMMAND, found ${JSON.stringify(surplus)} too` });
  }
  if (verb === undefined || verb === 'help') return print(world, await overviewText());
  const slurm = SLURM_COMMANDS.find(({ name }) => name === verb);
  if (slurm !== undefined) return (await slurm.load()).run(['--help'], world);
  const { commandHelp } = await import('./help.ts');
  return print(world, commandHelp(await find(verb).load(), world.stdout.isTTY ? world.stdout.columns : undefined));
}

async function overviewText(): Promise<string> {
  const { overview } = await import('./help.ts');
  return overview([...COMMANDS, ...SLURM_COMMANDS.map((entry) => ({ ...entry, group: 'Slurm' }))]);
}

function print(world: World, text: string): number {
  world.stdout.write(text);
  return 0;
}
