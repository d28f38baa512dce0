import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Resources } from '../api/session.ts';
import { parseBytes } from '../core/bytes.ts';
import { parseDuration } from '../core/duration.ts';
import { SpawnError } from '../core/errors.ts';
import type { ForkerKind } from './forker/types.ts';

/** How one agent was asked to run. Durations in ms. */
export interface WorkerFlags {
  /** `unix:/path` or a URL. */
  readonly server: string;
  readonly name: string;
  readonly resources: Resources;
  /** Absolute; scripts, environments and, where the coordinator names no place, logs are kept here. */
  readonly dataDir: string;
  /** Under which a provider started this agent. */
  readonly instance?: string;
  /** What running tasks get to finish in after SIGTERM. */
  readonly graceMs: number;
  readonly forker?: ForkerKind;
  /** 0: never. */
  readonly exitWhenGoneMs: number;
  /** The server is the coordinator of `dataDir`, and is started again when it was killed together with its keeper. */
  readonly revive: boolean;
}

/** What the flags are read against. */
export interface Machine extends Resources {
  readonly hostname: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const MAX_CPUS = 4_096;

const OPTIONS = {
  server: { type: 'string' },
  name: { type: 'string' },
  cpus: { type: 'string' },
  memory: { type: 'string' },
  'data-dir': { type: 'string' },
  instance: { type: 'string' },
  grace: { type: 'string' },
  forker: { type: 'string' },
  'exit-when-gone': { type: 'string' },
  revive: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

export const USAGE = `Usage: spored --server URL|unix:PATH [options]

Runs the tasks of a spawn server on this machine.

  --server URL|unix:PATH  the server; default $SPAWN_SERVER
  --name NAME             what people see; default the instance, else the host name
  --cpus N                CPUs to offer, may be a fraction; default those of this machine
  --memory SIZE           memory to offer, as 512M or 4G; default that of this machine
  --data-dir DIR          scripts, environments and logs; default $SPAWN_DATA_DIR, else ~/.local/share/spawn
  --instance ID           the instance that a provider started this agent as
  --grace DURATION        what running tasks get to finish in after SIGTERM; default 30s
  --forker native|node    what starts the processes; default native where it was built
  --exit-when-gone DURATION
                          end when the server was away so long; default 0: never
  --revive                start the coordinator of DIR again when it was killed; with --instance and unix:PATH
  -h, --help              this text
`;

function bad(flag: string, expected: string, found: unknown): never {
  throw new SpawnError('BAD_REQUEST', { where: `--${flag}`, expected, found });
}

/**
 * Reads the arguments after the program's name; `help` when they ask for the text about them.
 * @throws BAD_REQUEST, BAD_DURATION, BAD_BYTES that name the flag
 */
export function readFlags(argv: readonly string[], machine: Machine): WorkerFlags | 'help' {
  const given = parse(argv);
  if (given.help === true) return 'help';
  const instance = given.instance;
  if (instance !== undefined && !/^.{1,255}$/.test(instance)) bad('instance', '1 to 255 characters', instance);
  const name = given.name ?? instance ?? machine.hostname;
  if (!/^.{1,255}$/.test(name)) bad('name', '1 to 255 characters', name);
  const forker = given.forker;
  if (forker !== undefined && forker !== 'native' && forker !== 'node') bad('forker', 'native or node', forker);
  return {
    server: readServer(given.server, machine.env),
    name,
    resources: {
      cpus: given.cpus === undefined ? machine.cpus : readCpus(given.cpus),
      memoryBytes:
        given.memory === undefined ? machine.memoryBytes : located('memory', () => parseBytes(given.memory!, 'B')),
    },
    dataDir: readDataDir(given['data-dir'], machine.env),
    graceMs: located('grace', () => parseDuration(given.grace ?? '30s')),
    exitWhenGoneMs: located('exit-when-gone', () => parseDuration(given['exit-when-gone'] ?? '0')),
    revive: given.revive ?? false,
    ...(instance === undefined ? {} : { instance }),
    ...(forker === undefined ? {} : { forker }),
  };
}

type Given = { [K in keyof typeof OPTIONS]?: (typeof OPTIONS)[K]['type'] extends 'string' ? string : boolean };

/** The last one of each flag counts. */
function parse(argv: readonly string[]): Given {
  const given: Record<string, string | boolean> = {};
  // Not strict: its own errors name neither what was expected nor what was found.
  for (const token of parseArgs({ args: [...argv], options: OPTIONS, strict: false, tokens: true }).tokens) {
    if (token.kind === 'positional') {
      throw new SpawnError('BAD_REQUEST', { where: 'arguments', expected: 'flags only', found: token.value });
    }
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    if (!Object.hasOwn(OPTIONS, name)) {
      throw new SpawnError('BAD_REQUEST', { where: 'arguments', expected: 'a flag of spored --help', found: rawName });
    }
    const isText = OPTIONS[name as keyof typeof OPTIONS].type === 'string';
    if (isText && value === undefined) bad(name, 'a value', '');
    if (!isText && value !== undefined) bad(name, 'no value', value);
    given[name] = value ?? true;
  }
  return given;
}

function readServer(given: string | undefined, env: Machine['env']): string {
  const server = given ?? (env.SPAWN_SERVER || undefined);
  const expected = 'unix:/PATH, http://HOST:PORT or https://HOST:PORT';
  if (server === undefined) bad('server', `${expected} (or SPAWN_SERVER)`, '');
  if (server.startsWith('unix:') ? !isAbsolute(server.slice('unix:'.length)) : !/^https?:\/\/./.test(server)) {
    bad('server', expected, server);
  }
  return server;
}

function readCpus(text: string): number {
  const cpus = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(cpus > 0 && cpus <= MAX_CPUS)) bad('cpus', `a number above 0 and at most ${MAX_CPUS}`, text);
  return cpus;
}

function readDataDir(given: string | undefined, env: Machine['env']): string {
  if (given === '') bad('data-dir', 'a directory', given);
  if (given !== undefined) return resolve(given);
  if (env.SPAWN_DATA_DIR) return resolve(env.SPAWN_DATA_DIR);
  const xdg = env.XDG_DATA_HOME;
  return join(xdg && isAbsolute(xdg) ? xdg : join(env.HOME || homedir(), '.local/share'), 'spawn');
}

/** Adds the flag to an error about its text. */
function located<T>(flag: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SpawnError)) throw error;
    const facts = { ...(error.details as { text: string; at: number; expected: string }), where: `--${flag}` };
    if (error.code === 'BAD_DURATION' || error.code === 'BAD_BYTES') throw new SpawnError(error.code, facts);
    throw error;
  }
}
