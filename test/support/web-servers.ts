import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireOr } from './require.ts';
import { until } from './until.ts';

const NGINX = '/usr/sbin/nginx';

/** Tests that need a real web server. */
export const testWithNginx = requireOr('nginx (Debian: nginx-light)', existsSync(NGINX));

/** A web server that is a process of its own, over the files of a directory for temporary files. */
export class WebServer {
  readonly root: string;
  readonly endpoint: string;
  readonly #directory: string;
  readonly #command: readonly [program: string, ...words: string[]];
  #process: ChildProcess | undefined;

  private constructor(directory: string, port: number, command: readonly [program: string, ...words: string[]]) {
    this.#directory = directory;
    this.#command = command;
    this.root = join(directory, 'root');
    this.endpoint = `http://127.0.0.1:${port}`;
    mkdirSync(this.root);
  }

  /** With etags, times, ranges and conditions. */
  static async nginx(): Promise<WebServer> {
    const directory = mkdtempSync(join(tmpdir(), 'spawn-web-'));
    const port = await freePort();
    const configuration = join(directory, 'nginx.conf');
    const server = new WebServer(directory, port, [NGINX, '-c', configuration, '-p', directory, '-e', 'stderr']);
    const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${directory}/${name};`)
      .join(' ');
    // One process, so that killing it kills all of it.
    writeFileSync(
      configuration,
      `daemon off; master_process off; pid ${directory}/pid; events {} http { access_log off; ${places}
      server { listen 127.0.0.1:${port}; root ${server.root}; } }`,
    );
    await server.start();
    return server;
  }

  /** Of Python: with times, without ranges and etags. */
  static async python(): Promise<WebServer> {
    const directory = mkdtempSync(join(tmpdir(), 'spawn-web-'));
    const port = await freePort();
    const root = join(directory, 'root');
    const words = ['-m', 'http.server', '--bind', '127.0.0.1', '--directory', root, String(port)];
    const server = new WebServer(directory, port, ['python3', ...words]);
    await server.start();
    return server;
  }

  write(name: string, bytes: Uint8Array): void {
    writeFileSync(join(this.root, name), bytes);
  }

  /** Also again, after `kill`: at the same address and with the same files. */
  async start(): Promise<void> {
    const [program, ...words] = this.#command;
    const child = spawn(program, words, { stdio: 'ignore' });
    this.#process = child;
    await until(`${program} to answer`, async () => {
      if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}`);
      return (await fetch(this.endpoint).catch(() => undefined)) !== undefined;
    });
  }

  /** With SIGKILL, whatever it is doing. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** A port that nobody listens on at the moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await once(server.close(), 'close');
  return port;
}
