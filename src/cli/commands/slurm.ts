import { resolve } from 'node:path';
import { builtProgram } from '../../client/node/package-files.ts';
import { SpawnError } from '../../core/errors.ts';
import { defineCommand } from '../command.ts';
import { seeHelp } from '../parse-command-line.ts';
import { SLURM_COMMANDS } from '../slurm/registry.ts';
import { lookOnPath, quoted, writeShims } from '../slurm/shims.ts';
import type { World } from '../world.ts';

export const slurm = defineCommand({
  usage: ['slurm shims DIR'],
  about:
    "Writes Slurm's commands (sbatch, squeue, scancel and the others) into a directory: each runs the command of that name of\n" +
    'this spawn. With the directory first in PATH, scripts and programs written for Slurm find them. A directory that has\n' +
    'other files of these names is left alone. Again after an update or a move of spawn or of Node.js.',
  options: {},
  operands: { name: 'shims DIR', min: 1, max: 2 },
  examples: [{ line: 'spawn slurm shims ~/slurm', says: 'then: export PATH=~/slurm:$PATH' }],
  run: async ({ operands: [verb, directory] }, world) => {
    if (verb !== 'shims' || !directory) {
      const found = [verb, directory].filter((word) => word !== undefined).map((word) => JSON.stringify(word));
      throw new SpawnError('USAGE', {
        message: `slurm: expected shims DIR, found ${found.join(' ')}${seeHelp('slurm')}`,
      });
    }
    return makeShims(directory, world);
  },
});

function makeShims(given: string, world: World): number {
  const directory = resolve(world.cwd, given);
  // No PATH can name it.
  if (/[:\p{Cc}]/u.test(directory)) {
    const message = `slurm shims: expected a directory without ":" and control characters, found ${JSON.stringify(directory)}`;
    throw new SpawnError('USAGE', { message });
  }
  const names = SLURM_COMMANDS.map(({ name }) => name);
  writeShims({ directory, names, node: process.execPath, program: builtProgram('spawn') });
  world.stdout.write(`Wrote ${names.join(', ')} to ${directory}\n`);
  const { isFirst, others } = lookOnPath({ directory, names }, world.env.PATH ?? '');
  if (!isFirst) world.stdout.write(`Put them on PATH: export PATH=${quoted(directory)}:"$PATH"\n`);
  const [other] = others;
  if (other !== undefined) {
    const which = isFirst ? 'comes after these' : 'comes first as PATH is now';
    world.stderr.write(`spawn: warning: there is another Slurm on PATH, which ${which}: ${other}\n`);
  }
  return 0;
}
