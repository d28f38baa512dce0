import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SpawnClient } from '../../src/client/client.ts';
import { unixTransport } from '../../src/client/node/unix-transport.ts';
import { readSettings } from '../../src/config/settings.ts';
import { makeSandbox, type Sandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

let box: Sandbox;
beforeEach(() => {
  box = makeSandbox();
});
afterEach(async () => {
  await box.close();
});

async function ok(...args: string[]): Promise<string> {
  const ended = await box.spawn(args);
  if (ended.code !== 0) throw new Error(`spawn ${args.join(' ')}: ${ended.code}: ${ended.err}`);
  return ended.out;
}

test('a job that runs again on a worker elsewhere, long after its end, keeps the logs of both runs', async () => {
  await ok('server', 'start', '--listen', '127.0.0.1:0');
  const client = new SpawnClient({ transport: unixTransport(readSettings(box.env, process.getuid!()).socketPath) });
  const [url] = (await client.server()).listens!;
  const tokenFile = join(box.folder, 'token');
  writeFileSync(tokenFile, await ok('token', 'create', 'far', '--role', 'worker'), { mode: 0o600 });
  const flags = ['--server', url!, '--token-file', tokenFile, '--cpus', '2', '--resources', 'far=2', '--name', 'far'];
  const worker = spawn(
    join(root, 'node_modules/node/bin/node'),
    [join(root, 'dist/bin/spored.js'), ...flags, '--data-dir', join(box.folder, 'far')],
    { env: box.env, stdio: 'ignore' },
  );
  const gone = once(worker, 'exit');
  try {
    await until('it to join', async () => (await client.server()).sessions.some((one) => one.worker === 'far'));
    const logs = join(box.folder, 'far/worker/logs');
    const command = 'echo attempt $SPAWN_ATTEMPT of $SPAWN_ARRAY_INDEX';
    await ok('submit', '-q', '--wait', '--array', '3', '--resource', 'far=1', '--command', command);
    for (const attempt of [2, 3]) {
      // The coordinator lets go of a job some seconds after its end, and tells the worker, which then removes what it has of it.
      const marker = readdirSync(logs)[0]!;
      await until('it is forgotten', () => !existsSync(join(logs, marker, '1')));
      await ok('requeue', '1');
      await until('its end', async () => (await client.job('1')).state === 'completed');
      for (const index of [0, 1, 2]) expect(await ok('logs', `1_${index}`)).toBe(`attempt ${attempt} of ${index}\n`);
    }
  } finally {
    worker.kill('SIGTERM');
    await gone;
    client.close();
  }
}, 60_000);
