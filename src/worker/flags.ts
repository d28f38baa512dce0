import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { MAX_NAMED_RESOURCES } from '../api/limits.ts';
import type { Resources } from '../api/session.ts';
import { parseBytes } from '../core/bytes.ts';
import { parseDuration } from '../core/duration.ts';
import { SpawnError } from '../core/errors.ts';
import { type GpuDeclaration, MAX_GPUS, parseGpuDeclaration } from '../core/gpu-list.ts';
import { readNamedResources } from '../core/named-resources.ts';
import type { ForkerKind } from './forker/types.ts';

/** How one agent was asked to run. Durations in ms. */
export interface WorkerFlags {
  /** `unix:/path` or a URL. */
  readonly server: string;
  readonly name: string;
  /** Without GPUs: those are looked for. */
  readonly resources: Resources;
  /** Instead of those that are found. */
  readonly gpus?: GpuDeclaration;
  /** Each task runs on as many CPUs as it asked for and no others. */
  readonly bindCpus: boolean;
  /** Where the token is read from, at the start and again for each new session. */
  readonly tokenFile?: string;
  /** Certificates of who signed that of the server. */
  readonly caFile?: string;
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

/** Work, or say what this machine offers, or what the flags are. */
export type Asked = { readonly kind: 'work' | 'describe'; readonly flags: WorkerFlags } | { readonly kind: 'help' };

/** What the flags are read against. */
export interface Machine extends Resources {
  readonly hostname: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const MAX_CPUS = 4_096;
const MAX_SLOTS = 1_000_000;
/** For --describe, which talks to no server. */
const NO_SERVER = 'unix:/nonexistent';

const OPTIONS = {
  server: { type: 'string' },
  name: { type: 'string' },
  cpus: { type: 'string' },
  memory: { type: 'string' },
  gpus: { type: 'string' },
  resources: { type: 'string', multiple: true },
  slots: { type: 'string' },
  'no-cpu-binding': { type: 'boolean' },
  'token-file': { type: 'string' },
  'ca-file': { type: 'string' },
  'data-dir': { type: 'string' },
  instance: { type: 'string' },
  grace: { type: 'string' },
  forker: { type: 'string' },
  'exit-when-gone': { type: 'string' },
  revive: { type: 'boolean' },
  describe: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

export const USAGE = `Usage: spored --server URL|unix:PATH [options]

Runs the tasks of a spawn server on this machine.

  --server URL|unix:PATH  the server; default $SPAWN_SERVER
  --name NAME             what people see; default the instance, else the host name
  --cpus N                CPUs to offer, may be a fraction; default those of this machine
  --memory SIZE           memory to offer, as 512M or 4G; default that of this machine
  --gpus N|ID,ID…         GPUs to offer: so many, or these (0,1 or GPU-8932f937…); default those that
                          nvidia-smi or rocm-smi lists; 0: none
  --resources NAME=AMOUNT[,NAME=AMOUNT…]
                          named resources to offer; may be given several times
  --slots N               most tasks at once; default as the rest allows
  --no-cpu-binding        let tasks use CPUs beyond those they asked for; also SPAWN_BIND_CPUS=0
  --token-file FILE       the token for a server elsewhere, in a file that only its owner can read;
                          default $SPAWN_TOKEN_FILE
  --ca-file FILE          certificates (PEM) of who signed that of the server, in place of the usual ones
  --data-dir DIR          scripts, environments and logs; default $SPAWN_DATA_DIR, else ~/.local/share/spawn
  --instance ID           the instance that a provider started this agent as
  --grace DURATION        what running tasks get to finish in after SIGTERM; default 30s
  --forker native|node    what starts the processes; default native where it was built
  --exit-when-gone DURATION
                          end when the server was away so long; default 0: never
  --revive                start the coordinator of DIR again when it was killed; with --instance and unix:PATH
  --describe              print what this machine offers as JSON, and end
  -h, --help              this text
`;

/** Is shown to people, whose terminals it must not steer. */
const LABEL = /^\P{Cc}{1,255}$/u;
const LABEL_EXPECTED = '1 to 255 characters, none of them a control character';

function bad(flag: string, expected: string, found: unknown): never {
  throw new SpawnError('BAD_REQUEST', { where: `--${flag}`, expected, found });
}

/**
 * Reads the arguments after the program's name.
 * @throws BAD_REQUEST, BAD_DURATION, BAD_BYTES that name the flag
 */
export function readFlags(argv: readonly string[], machine: Machine): Asked {
  const given = parse(argv);
  if (given.help) return { kind: 'help' };
  const instance = given.instance;
  if (instance !== undefined && !LABEL.test(instance)) bad('instance', LABEL_EXPECTED, instance);
  const name = given.name ?? instance ?? machine.hostname;
  if (!LABEL.test(name)) bad('name', LABEL_EXPECTED, name);
  const forker = given.forker;
  if (forker !== undefined && forker !== 'native' && forker !== 'node') bad('forker', 'native or node', forker);
  const server = given.describe ? NO_SERVER : readServer(given.server, machine.env);
  const flags: WorkerFlags = {
    server,
    name,
    resources: readResources(given, machine),
    bindCpus: !given['no-cpu-binding'] && readBinding(machine.env.SPAWN_BIND_CPUS),
    dataDir: readDataDir(given['data-dir'], machine.env),
    graceMs: located('grace', () => parseDuration(given.grace ?? '30s')),
    exitWhenGoneMs: located('exit-when-gone', () => parseDuration(given['exit-when-gone'] ?? '0')),
    revive: given.revive ?? false,
    ...(given.gpus === undefined ? {} : { gpus: readGpus(given.gpus) }),
    ...readFiles(given, server, machine.env),
    ...(instance === undefined ? {} : { instance }),
    ...(forker === undefined ? {} : { forker }),
  };
  return { kind: given.describe ? 'describe' : 'work', flags };
}

type Texts = Exclude<keyof typeof OPTIONS, 'resources' | 'revive' | 'describe' | 'no-cpu-binding' | 'help'>;
type Given = { [K in Texts]?: string } & { resources: string[] } & {
  [K in Exclude<keyof typeof OPTIONS, Texts | 'resources'>]?: boolean;
};

/** The last one of each flag counts, but all of --resources. */
function parse(argv: readonly string[]): Given {
  const resources: string[] = [];
  const given: Record<string, string | boolean> = {};
  // Not strict: its own errors name neither what was expected nor what was found.
  for (const token of parseArgs({ args: [...argv], options: OPTIONS, strict: false, tokens: true }).tokens) {
    if (token.kind === 'positional') {
      throw new SpawnError('BAD_REQUEST', { where: 'arguments', expected: 'flags only', found: token.value });
    }
    if (token.kind === 'option-terminator') continue;
    const { name, rawName, value } = token;
    if (!Object.hasOwn(OPTIONS, name)) {
      const expected = 'a flag of spored --help';
      throw new SpawnError('BAD_REQUEST', { where: 'arguments', expected, found: rawName });
    }
    const isText = OPTIONS[name as keyof typeof OPTIONS].type === 'string';
    if (isText && value === undefined) bad(name, 'a value', '');
    if (!isText && value !== undefined) bad(name, 'no value', value);
    if (name === 'resources') resources.push(value!);
    else given[name] = value ?? true;
  }
  return { ...given, resources };
}

function readResources(given: Given, machine: Machine): Resources {
  const named = readNamedResources(given.resources, '--resources', MAX_NAMED_RESOURCES);
  const { memory, slots } = given;
  if (slots !== undefined && !(/^[1-9]\d{0,6}$/.test(slots) && Number(slots) <= MAX_SLOTS)) {
    bad('slots', `a whole number from 1 to ${MAX_SLOTS}`, slots);
  }
  return {
    cpus: given.cpus === undefined ? machine.cpus : readCpus(given.cpus),
    memoryBytes: memory === undefined ? machine.memoryBytes : located('memory', () => parseBytes(memory, 'B')),
    ...(Object.keys(named).length === 0 ? {} : { named }),
    ...(slots === undefined ? {} : { slots: Number(slots) }),
  };
}

function readGpus(text: string): GpuDeclaration {
  const expected = `a number of GPUs up to ${MAX_GPUS}, or which (0,1 or GPU-8932f937-…), each once`;
  return parseGpuDeclaration(text) ?? bad('gpus', expected, text);
}

function readBinding(text: string | undefined): boolean {
  if (text === undefined || text === '' || text === '1') return true;
  if (text === '0') return false;
  throw new SpawnError('BAD_REQUEST', { where: 'SPAWN_BIND_CPUS', expected: '0 or 1', found: text });
}

/** A server on this machine asks for neither. */
function readFiles(given: Given, server: string, env: Machine['env']): Pick<WorkerFlags, 'tokenFile' | 'caFile'> {
  const file = (flag: 'token-file' | 'ca-file', pattern: RegExp, scheme: string) => {
    const path = given[flag];
    if (path === '') bad(flag, 'a file', path);
    if (path !== undefined && !given.describe && !pattern.test(server)) bad(flag, `--server ${scheme}`, server);
    return path;
  };
  const remote = /^https?:/.test(server);
  const token = file('token-file', /^https?:/, 'http://… or https://…') ?? (remote ? env.SPAWN_TOKEN_FILE : undefined);
  const ca = file('ca-file', /^https:/, 'https://…');
  return { ...(token ? { tokenFile: resolve(token) } : {}), ...(ca ? { caFile: resolve(ca) } : {}) };
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
