import { type ChildProcess, execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SpawnClient } from '../../src/client/client.ts';
import { unixTransport } from '../../src/client/node/unix-transport.ts';
import { readSettings } from '../../src/config/settings.ts';
import { NetworkHosts } from './network-hosts.ts';
import { type Ended, makeSandbox, type RunOptions, type Sandbox } from './sandbox.ts';
import { until } from './until.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const node = join(root, 'node_modules/node/bin/node');
const PORT = 7700;
/** Short enough for a test, long enough for a busy machine. */
export const LEASE_MS = 10_000;

export interface Spored {
  readonly child: ChildProcess;
  /** What it said until now. */
  said(): string;
  /** Its exit code, when it has ended. */
  readonly ended: Promise<number | null>;
}

/** A coordinator that listens with TLS on one machine, workers on others, and a directory that all of them share. */
export interface Machines {
  readonly box: Sandbox;
  /** Beside the coordinator. */
  readonly client: SpawnClient;
  readonly hosts: NetworkHosts;
  /** On the shared disk. */
  readonly shared: string;
  readonly caFile: string;
  /** Runs `spawn` beside the coordinator; it must succeed. */
  ok(args: readonly string[], options?: RunOptions): Promise<Ended>;
  url(host: string): string;
  /** Makes a token; gives the file that holds it. */
  token(name: string, role?: string): Promise<string>;
  /** Starts `spored` on a machine, with a data directory and a token of its own, and waits until it has joined. */
  join(host: string, flags?: readonly string[]): Promise<Spored>;
  /** Starts `spored` there with these flags alone. */
  spored(host: string, flags: readonly string[]): Spored;
  /** Names of the workers that are connected. */
  connected(): Promise<string[]>;
  /** Lines of a file on the shared disk; none while it is not there. */
  lines(name: string): string[];
  close(): Promise<void>;
}

export async function startMachines(names: readonly string[]): Promise<Machines> {
  const box = makeSandbox();
  const hosts = new NetworkHosts(names);
  const shared = join(box.folder, 'shared');
  mkdirSync(shared);
  const [caFile, keyFile] = [join(box.folder, 'cert.pem'), join(box.folder, 'key.pem')];
  makeCertificate(caFile, keyFile, ['127.0.0.1', ...names.map((name) => hosts.headAddress(name))]);
  const serving = hosts.start(
    'head',
    [node, join(root, 'dist/bin/spawn.js'), 'server', 'start', '--foreground', '--listen', `0.0.0.0:${PORT}`].concat([
      '--tls-cert',
      caFile,
      '--tls-key',
      keyFile,
    ]),
    { env: { ...box.env, SPAWN_LOCAL_WORKERS: '0', SPAWN_LEASE: `${LEASE_MS}ms` }, cwd: '/', stdio: 'ignore' },
  );
  const client = new SpawnClient({ transport: unixTransport(readSettings(box.env, process.getuid!()).socketPath) });
  const machines: Machines = {
    box,
    client,
    hosts,
    shared,
    caFile,
    async ok(args, options) {
      const ended = await box.spawn(args, options);
      if (ended.code !== 0) throw new Error(`spawn ${args.join(' ')}: ${ended.code}: ${ended.err}`);
      return ended;
    },
    url: (host) => `https://${hosts.headAddress(host)}:${PORT}`,
    async token(name, role = 'worker') {
      const path = join(box.folder, `${name}.token`);
      writeFileSync(path, (await machines.ok(['token', 'create', name, '--role', role])).out, { mode: 0o600 });
      return path;
    },
    async join(host, flags = []) {
      const access = ['--server', machines.url(host), '--token-file', await machines.token(host), '--ca-file', caFile];
      const worker = machines.spored(host, [...access, '--name', host, ...flags]);
      await until(`${host} to join`, async () => (await machines.connected()).includes(host));
      return worker;
    },
    spored(host, flags) {
      const dataDir = join(box.folder, `data-of-${host}`);
      const env = { PATH: process.env.PATH, HOME: box.folder, XDG_CACHE_HOME: box.env.XDG_CACHE_HOME };
      const argv = [node, join(root, 'dist/bin/spored.js'), '--data-dir', dataDir, ...flags];
      const child = hosts.start(host, argv, { env, cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] });
      let said = '';
      child.stderr!.on('data', (bytes: Buffer) => {
        said += bytes;
      });
      const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
      return { child, said: () => said, ended };
    },
    async connected() {
      const { sessions } = await client.server();
      return sessions.filter(({ connected }) => connected).map(({ worker }) => worker);
    },
    lines(name) {
      try {
        return readFileSync(join(shared, name), 'utf8').split('\n').filter(Boolean);
      } catch {
        return [];
      }
    },
    async close() {
      client.close();
      for (const name of names) hosts.kill(name);
      try {
        await box.spawn(['server', 'stop']);
        // It ends a moment after the server that it started.
        await until('the end of the server', () => serving.exitCode !== null || serving.signalCode !== null);
        await box.close();
      } finally {
        hosts.close();
      }
    },
  };
  try {
    await until('the server', async () => serving.exitCode === null && (await isUp(machines)));
  } catch (error) {
    await machines.close().catch(() => undefined);
    throw error;
  }
  return machines;
}

async function isUp({ box }: Machines): Promise<boolean> {
  return (await box.spawn(['server', 'status'])).code === 0;
}

function makeCertificate(certFile: string, keyFile: string, addresses: readonly string[]): void {
  const names = addresses.map((address) => `IP:${address}`).join();
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
  const words = ['req', '-x509', ...key, '-out', certFile, '-days', '2', '-subj', '/CN=spawn test'];
  execFileSync('openssl', [...words, '-addext', `subjectAltName=${names}`], { stdio: 'pipe' });
}
