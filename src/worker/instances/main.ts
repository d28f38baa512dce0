import { hostname } from 'node:os';
import { isAbsolute, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SpawnClient } from '../../client/client.ts';
import { makeDirectories } from '../../client/node/make-directories.ts';
import { packageVersion } from '../../client/node/package-files.ts';
import { isSpawnError, SpawnError } from '../../core/errors.ts';
import type { MachineHost } from '../../providers/provider.ts';
import { transportTo } from '../transport-to.ts';
import { writeLine } from '../write-line.ts';
import { InstanceAgent } from './instance-agent.ts';

/** How the agent of instances was asked to run. */
export interface AgentFlags {
  /** `unix:/path` or a URL. */
  readonly server: string;
  /** Absolute. */
  readonly dataDir: string;
  readonly tokenFile?: string;
  readonly caFile?: string;
}

export interface AgentDeps {
  /** Takes the place of the one agent of a data directory; gives the process that has it, or that nobody can tell: it is tried again. */
  readonly takePlace: (flags: AgentFlags) => number | 'taken' | 'unknown';
  /** To be called again and again while this process is well: whoever started it sees that. */
  readonly beat: (flags: AgentFlags) => void;
  /** Where is kept what an agent that ends could not tell. */
  readonly untoldDir: (flags: AgentFlags) => string;
  /** Where the machines are that this agent serves. */
  readonly openMachines: (flags: AgentFlags, log: (line: string) => void) => MachineHost;
}

const OPTIONS = {
  server: { type: 'string' },
  'data-dir': { type: 'string' },
  'token-file': { type: 'string' },
  'ca-file': { type: 'string' },
} as const;
const EXIT_INTERNAL = 70;
const ASK_WITHIN_MS = 5_000;
const BEAT_MS = 5_000;

/**
 * The agent of instances as a program. Says everything on standard error, a line each. SIGTERM, SIGINT: lets go of the instances, which run
 * on, and ends. SIGHUP means nothing to it.
 *
 * @returns the exit code: 0 after a signal, when nothing runs and no server is there, or another agent is there or came; 2 for bad flags; that of the error that
 * keeps it from working
 */
export async function runAgent(argv: readonly string[], deps: AgentDeps): Promise<number> {
  try {
    return await serve(readAgentFlags(argv), deps);
  } catch (error) {
    say(error instanceof Error && !isSpawnError(error) ? (error.stack ?? error.message) : (error as Error).message);
    return isSpawnError(error) ? error.exitCode : EXIT_INTERNAL;
  }
}

/** @throws BAD_REQUEST that names the flag */
function readAgentFlags(argv: readonly string[]): AgentFlags {
  const given: Partial<Record<keyof typeof OPTIONS, string>> = {};
  // Not strict: its own errors name neither what was expected nor what was found.
  for (const token of parseArgs({ args: [...argv], options: OPTIONS, strict: false, tokens: true }).tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') bad('arguments', 'flags only', token.value);
    if (!Object.hasOwn(OPTIONS, token.name)) {
      bad(
        'arguments',
        Object.keys(OPTIONS)
          .map((name) => `--${name}`)
          .join(', '),
        token.rawName,
      );
    }
    if (token.value === undefined || token.value === '') bad(token.rawName, 'a value', '');
    given[token.name as keyof typeof OPTIONS] = token.value;
  }
  const { server } = given;
  const expected = 'unix:/PATH, http://HOST:PORT or https://HOST:PORT';
  if (server === undefined) return bad('--server', expected, '');
  if (server.startsWith('unix:') ? !isAbsolute(server.slice('unix:'.length)) : !/^https?:\/\/./.test(server)) {
    bad('--server', expected, server);
  }
  if (given['data-dir'] === undefined) return bad('--data-dir', 'a directory', '');
  const { 'token-file': tokenFile, 'ca-file': caFile } = given;
  return {
    server,
    dataDir: resolve(given['data-dir']),
    ...(tokenFile === undefined ? {} : { tokenFile: resolve(tokenFile) }),
    ...(caFile === undefined ? {} : { caFile: resolve(caFile) }),
  };
}

async function serve(flags: AgentFlags, { takePlace, beat, untoldDir, openMachines }: AgentDeps): Promise<number> {
  // What instances create gets their own umask; what this process creates is nobody else's business.
  process.umask(0o077);
  makeDirectories(flags.dataDir, 0o700);
  let place = takePlace(flags);
  if (typeof place === 'number') {
    say(`process ${place} serves the instances of ${flags.dataDir} already`);
    return 0;
  }
  beat(flags);
  const client = new SpawnClient({ transport: transportTo(flags, say) });
  const agent = new InstanceAgent({
    client,
    machines: openMachines(flags, say),
    dataDir: flags.dataDir,
    untoldDir: untoldDir(flags),
    host: hostname(),
    version: packageVersion(),
    isServerThere: async () => {
      await client.server({ retryForMs: 0, signal: AbortSignal.timeout(ASK_WITHIN_MS) });
      return true;
    },
    log: say,
  });
  const onSignal = (signal: string) => {
    say(`${signal}: lets go of ${agent.instances.size} instances, which run on`);
    agent.release();
  };
  const ignore = () => {};
  const beating = setInterval(() => {
    beat(flags);
    if (place !== 'unknown') return;
    place = takePlace(flags);
    if (typeof place !== 'number') return;
    say(
      `process ${place} serves the instances of ${flags.dataDir}: lets go of ${agent.instances.size} instances, and ends`,
    );
    agent.release();
  }, BEAT_MS);
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal).on('SIGHUP', ignore);
  try {
    if ((await agent.run()) === 'idle') say('nothing runs, and there is no server');
    return 0;
  } finally {
    clearInterval(beating);
    process.off('SIGTERM', onSignal).off('SIGINT', onSignal).off('SIGHUP', ignore);
    client.close();
  }
}

function bad(where: string, expected: string, found: unknown): never {
  throw new SpawnError('BAD_REQUEST', { where, expected, found });
}

function say(line: string): void {
  writeLine(`${new Date().toISOString()} agent[${process.pid}]: ${line}`);
}
