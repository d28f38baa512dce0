import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import type { S3Access } from '../../src/api/data.ts';
import { requireOr } from './require.ts';
import { until } from './until.ts';

const PYTHON = '/usr/bin/python3';
const PROGRAM = fileURLToPath(new URL('s3-server.py', import.meta.url));

/** Whether this machine has the S3 that tests use. */
export const hasS3 = ['proxy', 'account', 'container', 'object'].every((name) =>
  existsSync(`/usr/bin/swift-${name}-server`),
);

/** Tests that need a real S3: OpenStack Swift, which keeps what was sent in files, checks signatures and MD5s, and refuses what it does not know. */
export const testWithS3 = requireOr(
  'OpenStack Swift (Debian: swift-proxy swift-account swift-container swift-object)',
  hasS3,
);

/** A real S3 of its own on this machine, over files in a directory for temporary files. */
export class S3Server {
  /** Variables with what it takes to use it. */
  readonly env = { TEST_S3_KEY: 'test:tester', TEST_S3_SECRET: 'testing' };
  readonly #directory: string;
  readonly #ports: readonly number[];
  #process: ChildProcess | undefined;

  private constructor(directory: string, ports: readonly number[]) {
    this.#directory = directory;
    this.#ports = ports;
  }

  static async start(): Promise<S3Server> {
    const directory = mkdtempSync(join(tmpdir(), 'spawn-s3-'));
    const server = new S3Server(directory, await freePorts(4));
    await server.start();
    return server;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#ports[3]}`;
  }

  /** With secrets by reference to `env`. */
  get access(): S3Access {
    return {
      endpoint: this.endpoint,
      region: 'us-east-1',
      accessKeyId: { env: 'TEST_S3_KEY' },
      secretAccessKey: { env: 'TEST_S3_SECRET' },
    };
  }

  /** Also again, after `kill`: at the same address and with the same data. */
  async start(): Promise<void> {
    const args = [PROGRAM, 'serve', this.#directory, ...this.#ports.map(String)];
    const child = spawn(PYTHON, args, { stdio: ['pipe', 'ignore', 'pipe'], env: { PATH: '/usr/bin:/bin' } });
    this.#process = child;
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4_000);
    });
    await until(
      'the S3 server',
      async () => {
        if (child.exitCode !== null) throw new Error(`the S3 server ended: ${said}`);
        // Without a signature: refused by the proxy, which answers once the others do.
        return (await fetch(this.endpoint).catch(() => undefined)) !== undefined;
      },
      60_000,
    );
  }

  /** With SIGKILL, whatever it is doing. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    // When the last of its processes has ended.
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async makeBucket(bucket: string): Promise<void> {
    const client = this.client();
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    client.destroy();
  }

  /** Lists objects `PREFIX000000`, … in a bucket, without bytes behind them: thousands would take minutes to write. */
  addRows(bucket: string, prefix: string, count: number): void {
    execFileSync(PYTHON, [PROGRAM, 'rows', this.#directory, bucket, prefix, String(count)], {
      env: { PATH: '/usr/bin:/bin' },
      timeout: 60_000,
    });
  }

  /** To look at it past what is tested. */
  client(): S3Client {
    const { TEST_S3_KEY: accessKeyId, TEST_S3_SECRET: secretAccessKey } = this.env;
    return new S3Client({
      endpoint: this.endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
    });
  }
}

/** Ports that nobody listens on at the moment. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
