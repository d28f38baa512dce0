import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { serveInside } from './sandbox-inside.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawn-inside-'));
  path = join(folder, 'agent.sock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function dial(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => resolve(socket));
    socket.once('error', reject);
  });
}

test('who asks without reading the answers is not read any more', { timeout: 60_000 }, async () => {
  const server = await serveInside(path);
  let asked = 0;
  const text = 'x'.repeat(4_096);
  server.onRequest(async () => {
    asked++;
    return { ok: true, text };
  });
  const socket = await dial();
  socket.pause();
  const count = 50_000;
  socket.write('{"command":"status"}\n'.repeat(count));
  let quiet = 0;
  for (let before = -1; quiet < 500; quiet = asked === before ? quiet + 1 : 0, before = asked) await turn();
  expect(asked).toBeGreaterThan(0);
  // What the kernel holds for both sides, and one piece that was read.
  expect(asked).toBeLessThan(count / 10);
  socket.destroy();
  server.close();
});

test('one that closes leaves the socket of the next one alone', async () => {
  const before = await serveInside(path);
  const after = await serveInside(path);
  after.onRequest(async () => ({ ok: true }));
  before.close();
  expect(existsSync(path)).toBe(true);
  const socket = await dial();
  socket.write('{"command":"status"}\n');
  const said = await new Promise<string>((resolve) => void socket.once('data', (bytes) => resolve(String(bytes))));
  expect(said).toBe('{"ok":true}\n');
  socket.destroy();
  after.close();
});
