import { SpawnError } from '../../core/errors.ts';
import { defineCommand } from '../command.ts';
import { jsonText, serverJson } from '../output/json.ts';
import { serverStatus } from '../output/status-text.ts';
import { jsonOption } from '../output-option.ts';
import type { World } from '../world.ts';

/** As systemd and LSB init scripts tell it: the status is of a program that does not run. */
const NOT_RUNNING = 3;

export const server = defineCommand({
  usage: ['server start [--foreground]', 'server stop', 'server status [-o json]'],
  about:
    'Controls the coordinator that runs in the background for this user. It starts by itself when a command needs it;\n' +
    'stop ends it and its workers: running tasks are stopped and run again after the next start. status exits with 3\n' +
    'when none runs.',
  options: {
    foreground: { summary: 'With start: serve in this process until it is stopped' },
    format: jsonOption,
  },
  operands: { name: 'start, stop or status', min: 1, max: 1, choices: ['start', 'stop', 'status'] },
  examples: [
    { line: 'spawn server status', says: 'whether one runs, and what it does' },
    { line: 'spawn server start --foreground', says: 'under systemd or in a container' },
  ],
  run: async ({ options, operands }, world) => {
    const [verb] = operands;
    const only = (option: string, of: string): never => {
      throw new SpawnError('USAGE', { message: `server ${verb}: expected ${option} with server ${of} only` });
    };
    if (options.foreground && verb !== 'start') only('--foreground', 'start');
    if (options.format !== undefined && verb !== 'status') only('-o', 'status');
    if (world.env.SPAWN_SERVER) {
      throw new SpawnError('USAGE', {
        message: `server ${verb}: expected no SPAWN_SERVER (the coordinator is elsewhere), found ${JSON.stringify(world.env.SPAWN_SERVER)}`,
      });
    }
    switch (verb) {
      case 'start':
        return options.foreground ? (await world.server()).serveHere() : start(world);
      case 'stop':
        return stop(world);
      default:
        return status(world, options.format === 'json');
    }
  },
});

async function start(world: World): Promise<number> {
  const { started, server } = await (await world.server()).start();
  world.stdout.write(`${started ? 'started' : 'runs already'}: pid ${server.pid}, data in ${server.dataDir}\n`);
  return 0;
}

async function stop(world: World): Promise<number> {
  const stopped = await (await world.server()).stop();
  world.stdout.write(stopped ? 'stopped\n' : 'not running\n');
  return 0;
}

async function status(world: World, json: boolean): Promise<number> {
  const found = await (await world.server()).status();
  if (found === undefined) {
    world.stdout.write(json ? jsonText({ running: false }) : 'not running\n');
    return NOT_RUNNING;
  }
  world.stdout.write(json ? jsonText(serverJson(found)) : serverStatus(found, [], world.now(), world.stdout.colour));
  return 0;
}
