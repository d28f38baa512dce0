import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writePair } from '../support/certificates.ts';
import { installPacked, typeErrors } from '../support/packed.ts';
import { runProgram } from '../support/run-program.ts';
import { makeSandbox, type Sandbox } from '../support/sandbox.ts';

const page = readFileSync(new URL('../../docs/client.md', import.meta.url), 'utf8');

/** The programs of the page, each with what the page says that it prints. */
const examples = page.split(/^## /m).flatMap((section) => {
  const programs = [...section.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code]) => code!);
  const printed = [...section.matchAll(/^```text\n([\s\S]*?)^```/gm)].map(([, text]) => text!);
  return programs.map((code, at) => ({ title: section.split('\n')[0]!, code, printed: printed[at] }));
});

let box: Sandbox;
let folder: string;
let elsewhere: Record<string, string>;

beforeAll(async () => {
  folder = installPacked();
  box = makeSandbox();
  const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
  writePair(files, 'a');
  const port = await freePort();
  await ok(
    'server',
    'start',
    '--listen',
    `127.0.0.1:${port}`,
    '--tls-cert',
    files.certFile,
    '--tls-key',
    files.keyFile,
  );
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, await ok('token', 'create', 'ada', '--role', 'submit'), { mode: 0o600 });
  elsewhere = { SPAWN_SERVER: `https://127.0.0.1:${port}`, SPAWN_TOKEN_FILE: tokenFile, SPAWN_CA_FILE: files.certFile };
});
afterAll(async () => {
  await box.close();
  rmSync(folder, { recursive: true });
});

async function ok(...args: string[]): Promise<string> {
  const { code, out, err } = await box.spawn(args);
  if (code !== 0) throw new Error(`spawn ${args.join(' ')}: ${code}: ${err}`);
  return out;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

test('every section has a program, and every program says what it prints', () => {
  expect(examples.length).toBe(page.split(/^## /m).length - 1);
  expect(examples.filter(({ printed }) => printed === undefined)).toEqual([]);
  expect([...page.matchAll(/^```(\w*)/gm)].filter(([, kind]) => !['ts', 'text', ''].includes(kind!))).toEqual([]);
});

test('the types of the packed package fit the programs, and refuse what is wrong', () => {
  for (const [at, { code }] of examples.entries()) writeFileSync(join(folder, `example-${at}.ts`), code);
  expect(
    typeErrors(
      folder,
      examples.map((_, at) => `example-${at}.ts`),
    ),
  ).toBe('');
  const wrong = [
    "import { SpawnClient } from 'spawn/client';",
    'declare const spawn: SpawnClient;',
    "await spawn.submit({ spec: { cwd: '/', run: { kind: 'argv', argv: ['true'] }, colour: 'red' } });",
    "const id: string = (await spawn.job('1')).id;",
    'console.log(id);',
  ];
  writeFileSync(join(folder, 'wrong.ts'), wrong.join('\n'));
  const said = typeErrors(folder, ['wrong.ts']);
  expect(said).toContain('wrong.ts(3,');
  expect(said).toContain("'colour' does not exist");
  expect(said).toContain('wrong.ts(4,');
});

test.each(examples)('"$title" prints what the page says', async ({ title, code, printed }) => {
  writeFileSync(join(folder, 'example.ts'), code);
  const far = /SPAWN_SERVER/.test(code) ? elsewhere : {};
  const ended = await runProgram(['example.ts'], { cwd: folder, env: { ...box.env, ...far } });
  expect({ title, out: ended.out, err: ended.err, code: ended.code }).toEqual({
    title,
    out: printed,
    err: '',
    code: 0,
  });
});

test('what is not exported cannot be imported', async () => {
  writeFileSync(join(folder, 'inside.mjs'), "await import('spawn/dist/index.js');");
  expect((await runProgram(['inside.mjs'], { cwd: folder, env: box.env })).err).toContain(
    'ERR_PACKAGE_PATH_NOT_EXPORTED',
  );
  const browser = "import * as all from 'spawn/client'; console.log(Object.keys(all).join(' '));";
  writeFileSync(join(folder, 'browser.mjs'), browser);
  expect((await runProgram(['browser.mjs'], { cwd: folder, env: box.env })).out).toBe(
    'SpawnClient SpawnError TransportFailure isSpawnError verifySignature\n',
  );
});
