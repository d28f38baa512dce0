import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { dataFiles } from './data-files.ts';
import { builtProgram } from './package-files.ts';
import { makePrivateDirectory } from './private-directory.ts';

/** Where the embedded coordinator of one data directory is. Paths are absolute. */
export interface EmbeddedPlace {
  readonly dataDir: string;
  /** Only its user may enter. */
  readonly runtimeDir: string;
  /** Inside runtimeDir. */
  readonly socketPath: string;
}

/** For parseArgs of node:util: how a background process is told its place. */
export const PLACE_OPTIONS = {
  'data-dir': { type: 'string' },
  'runtime-dir': { type: 'string' },
  socket: { type: 'string' },
} as const;

export function placeArguments({ dataDir, runtimeDir, socketPath }: EmbeddedPlace): readonly string[] {
  return ['--data-dir', dataDir, '--runtime-dir', runtimeDir, '--socket', socketPath];
}

/** Reads what PLACE_OPTIONS describes. */
export function toPlace(values: { readonly [Name in keyof typeof PLACE_OPTIONS]?: string | undefined }): EmbeddedPlace {
  const { 'data-dir': dataDir, 'runtime-dir': runtimeDir, socket: socketPath } = values;
  if (!dataDir || !runtimeDir || !socketPath) throw new Error('expected --data-dir, --runtime-dir and --socket');
  return { dataDir, runtimeDir, socketPath };
}

/**
 * What background processes take over from whoever happened to start them: enough to find programs and folders. No
 * SPAWN_ variable of a task: the marks by which a worker finds its processes must not be on these.
 */
const KEPT_VARIABLES =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_.+|TZ|TMPDIR|XDG_.+|NODE_COMPILE_CACHE|SPAWN_(?:DATA_DIR|RUNTIME_DIR|FORKER|MAX_ARRAY_SIZE|LEASE|BIND_CPUS|LOCAL_.+|DNS_.+|INSTANCE_RETENTION|SANDBOX|SMTP_.+|MAIL_FROM|WEBHOOK_ALLOW|SHARED_SECRETS|CI.*)|NODE_EXTRA_CA_CERTS)$/;

/**
 * Starts a keeper, detached from this process in every way. Does no harm where one runs already: the new one sees that
 * and ends with code 0.
 */
export function startKeeper(place: EmbeddedPlace, program = builtProgram('keeper')): ChildProcess {
  const files = dataFiles(place.dataDir);
  makePrivateDirectory(files.runDir);
  const log = openSync(files.serverLog, 'a', 0o600);
  try {
    const child = spawn(process.execPath, [program, ...placeArguments(place)], {
      cwd: '/',
      detached: true,
      env: {
        ...backgroundEnv({ ...process.env, NODE_COMPILE_CACHE: compileCache(process.env) }),
        ...sharedSecrets(process.env),
      },
      stdio: ['ignore', log, log],
    });
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

/**
 * Where Node keeps compiled code: the folder that the entries use, or what the user chose. As a variable it counts in
 * threads too, one of which loads the database.
 */
function compileCache(env: NodeJS.ProcessEnv): string | undefined {
  const cache = env.XDG_CACHE_HOME || (env.HOME && join(env.HOME, '.cache'));
  return env.NODE_COMPILE_CACHE || (cache && join(cache, 'spawn/node'));
}

/** The part of an environment that background processes get: secrets of one terminal do not live on in them. */
export function backgroundEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => KEPT_VARIABLES.test(name)));
}

/** Variables that the setting shared_secrets names: the coordinator alone gets them, for alerts. */
export function sharedSecrets(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const names = [...(env.SPAWN_SHARED_SECRETS ?? '').matchAll(/(?:^|,)\s*env:(\w+)/g)].map(([, name]) => name!);
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}
