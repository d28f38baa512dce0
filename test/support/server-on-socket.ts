import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Timing } from '../../src/server/options.ts';
import { createServer, type Server } from '../../src/server/server.ts';
import { FakeUseCases } from './fake-use-cases.ts';

export interface ServerOnSocket {
  path: string;
  fake: FakeUseCases;
  server: Server;
}

/** A path for a socket in a directory that goes with the test. */
export function socketPath(): string {
  const directory = mkdtempSync(join(tmpdir(), 'spawn-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'socket');
}

/** A server with fake use cases on a Unix socket until the test ends. */
export async function serveOn(
  path: string,
  timing: Partial<Timing> = {},
  onStop: () => void = () => {},
): Promise<ServerOnSocket> {
  const fake = new FakeUseCases();
  const server = await createServer(fake, { version: '0.1.0', onStop, timing: { closeGraceMs: 200, ...timing } });
  await server.listenUnix(path);
  onTestFinished(() => server.close());
  return { path, fake, server };
}
