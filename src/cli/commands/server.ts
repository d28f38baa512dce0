import { resolve } from 'node:path';
import { addressText, parseAddress } from '../../core/address.ts';
import { SpawnError } from '../../core/errors.ts';
import { defineCommand } from '../command.ts';
import { nonEmpty } from '../option-values.ts';
import { counted } from '../output/format.ts';
import { jsonText, serverJson } from '../output/json.ts';
import { serverStatus } from '../output/status-text.ts';
import { jsonOption } from '../output-option.ts';
import type { ListenFlags, World } from '../world.ts';

/** As systemd and LSB init scripts tell it: the status is of a program that does not run. */
const NOT_RUNNING = 3;
const MOST_SHOWN = 1_000;
/** For the instances that run on: a server that hangs must be stoppable. */
const ASK_WITHIN_MS = 2_000;

export const server = defineCommand({
  usage: ['server start [--foreground] [--listen HOST:PORT …]', 'server stop', 'server status [-o json]'],
  about:
    'Controls the coordinator that runs in the background for this user. It starts by itself when a command needs it;\n' +
    'stop ends it and its workers: running tasks are stopped and run again after the next start. status exits with 3\n' +
    'when none runs. With --listen others reach it too, with a token (spawn token create) and, but for loopback, TLS; that\n' +
    'holds until server stop, also after a crash. SPAWN_LISTEN, SPAWN_TLS_CERT and SPAWN_TLS_KEY are the defaults.',
  options: {
    foreground: { summary: 'With start: serve in this process until it is stopped' },
    listen: {
      value: 'HOST:PORT',
      summary: 'With start: listen on TCP too; port 0 is any that is free',
      parse: (text, where) => addressText(parseAddress(text, where)),
    },
    'tls-cert': {
      value: 'FILE',
      summary: 'With --listen: the certificate in PEM, read anew when it changes',
      parse: nonEmpty('a file'),
    },
    'tls-key': { value: 'FILE', summary: 'With --listen: its private key in PEM', parse: nonEmpty('a file') },
    'plain-http': { summary: 'With --listen: no TLS, on a network that you trust' },
    format: jsonOption,
  },
  operands: { name: 'start, stop or status', min: 1, max: 1, choices: ['start', 'stop', 'status'] },
  examples: [
    { line: 'spawn server status', says: 'whether one runs, and what it does' },
    { line: 'spawn server start --foreground', says: 'under systemd or in a container' },
    {
      line: 'spawn server start --listen 0.0.0.0:7700 --tls-cert cert.pem --tls-key key.pem',
      says: 'for users and workers on other machines',
    },
  ],
  run: async ({ options, operands }, world) => {
    const [verb] = operands;
    const only = (option: string, of: string): never => {
      throw new SpawnError('USAGE', { message: `server ${verb}: expected ${option} with server ${of} only` });
    };
    const flags = {
      listen: options.listen,
      tlsCert: inCwd(world, options['tls-cert']),
      tlsKey: inCwd(world, options['tls-key']),
      plainHttp: options['plain-http'],
    };
    if (verb !== 'start') {
      if (options.foreground) only('--foreground', 'start');
      if (flags.listen !== undefined) only('--listen', 'start');
      if (flags.tlsCert !== undefined) only('--tls-cert', 'start');
      if (flags.tlsKey !== undefined) only('--tls-key', 'start');
      if (flags.plainHttp) only('--plain-http', 'start');
    }
    if (options.format !== undefined && verb !== 'status') only('-o', 'status');
    if (world.env.SPAWN_SERVER) {
      throw new SpawnError('USAGE', {
        message: `server ${verb}: expected no SPAWN_SERVER (the coordinator is elsewhere), found ${JSON.stringify(withoutPassword(world.env.SPAWN_SERVER))}`,
      });
    }
    switch (verb) {
      case 'start':
        return options.foreground ? (await world.server()).serveHere(flags) : start(world, flags);
      case 'stop':
        return stop(world);
      default:
        return status(world, options.format === 'json');
    }
  },
});

/** An error is printed and kept: what somebody wrote into a URL by mistake is not. */
function withoutPassword(url: string): string {
  return url.replace(/\/\/[^/]*@/, '//…@');
}

function inCwd({ cwd }: World, path: string | undefined): string | undefined {
  return path === undefined ? undefined : resolve(cwd, path);
}

async function start(world: World, flags: ListenFlags): Promise<number> {
  const { started, server } = await (await world.server()).start(flags);
  world.stdout.write(`${started ? 'started' : 'runs already'}: pid ${server.pid}, data in ${server.dataDir}\n`);
  for (const url of server.listens ?? []) world.stdout.write(`listens on ${url}\n`);
  return 0;
}

async function stop(world: World): Promise<number> {
  const instances = await instancesThatRun(world);
  const stopped = await (await world.server()).stop();
  world.stdout.write(stopped ? 'stopped\n' : 'not running\n');
  if (instances.length === 0) return 0;
  const more = instances.length === MOST_SHOWN ? ' or more' : '';
  const goes = instances.length === 1 ? 'goes' : 'go';
  world.stderr.write(
    `spawn: ${counted(instances.length, 'instance')}${more} ${goes} on, each until its own end; spawn server start takes over what then runs\n`,
  );
  return 0;
}

/** At most a page of them; none where it cannot be told: what is to be stopped may be what does not answer. */
async function instancesThatRun(world: World): Promise<readonly unknown[]> {
  try {
    const client = await world.connectIfRunning();
    const signal = AbortSignal.timeout(ASK_WITHIN_MS);
    return (
      (await client?.instances({ state: 'running', limit: MOST_SHOWN }, { retryForMs: 0, signal }))?.instances ?? []
    );
  } catch {
    return [];
  }
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
