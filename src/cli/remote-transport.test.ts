import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readSettings } from '../config/settings.ts';
import { remoteTransport } from './remote-transport.ts';

const TOKEN = `spawn_1_${'A'.repeat(43)}`;

function connect(server: string, env: Record<string, string>): { said: string[]; address: string } {
  const said: string[] = [];
  const { address } = remoteTransport(readSettings(env, 1000), server, (line) => said.push(line));
  return { said, address };
}

function tokenFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'spawn-token-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'token');
  writeFileSync(path, TOKEN, { mode: 0o600 });
  return path;
}

test.each([
  ['http://head.example:7700', { SPAWN_TOKEN: TOKEN }, 1],
  ['http://10.0.0.1:7700', { SPAWN_TOKEN: TOKEN }, 1],
  ['http://127.0.0.1:7700', { SPAWN_TOKEN: TOKEN }, 0],
  ['http://[::1]:7700', { SPAWN_TOKEN: TOKEN }, 0],
  ['https://head.example:7700', { SPAWN_TOKEN: TOKEN }, 0],
  ['http://head.example:7700', {}, 0],
])('%s with %j: warnings %d', (server, env, warnings) => {
  const { said, address } = connect(server, env);
  expect(address).toBe(server);
  expect(said).toEqual(
    Array(warnings).fill(`spawn: warning: ${server} has no TLS: whoever can listen on the way can take the token`),
  );
});

test('a token comes from the environment, else from a file', () => {
  connect('https://a', { SPAWN_TOKEN_FILE: tokenFile() });
  connect('https://a', { SPAWN_TOKEN: TOKEN, SPAWN_TOKEN_FILE: '/nowhere' });
  expect(() => connect('https://a', { SPAWN_TOKEN_FILE: '/nowhere' })).toThrow(
    'SPAWN_TOKEN_FILE: file "/nowhere" not found',
  );
});

test('what is no token or no certificate is refused before anything is sent, and not shown', () => {
  const wrong = () => connect('https://a', { SPAWN_TOKEN: 'hunter2' });
  expect(wrong).toThrow('SPAWN_TOKEN: expected a token');
  expect(wrong).not.toThrow('hunter2');
  expect(() => connect('https://a', { SPAWN_TOKEN: TOKEN, SPAWN_CA_FILE: '/nowhere.pem' })).toThrow(
    'SPAWN_CA_FILE: file "/nowhere.pem" not found',
  );
});
