import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect } from 'vitest';
import type { S3Access } from '../../src/api/data.ts';
import { openS3 } from '../../src/objects/s3/open-s3.ts';
import type { S3 } from '../../src/objects/s3/s3.ts';
import { type OwnHome, ownHome } from '../support/own-home.ts';
import { S3Server, testWithS3 as test } from '../support/s3-server.ts';
import { until } from '../support/until.ts';

let home: OwnHome | undefined;
let server: S3Server | undefined;
let s3: S3 | undefined;

afterEach(async () => {
  home?.close();
  s3?.close();
  await server?.stop();
});

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** With secrets in files: what runs in the background has not the variables of a user. */
function accessFor(running: S3Server, folder: string): S3Access {
  const key = join(folder, 'key');
  const secret = join(folder, 'secret');
  writeFileSync(key, running.env.TEST_S3_KEY);
  writeFileSync(secret, `${running.env.TEST_S3_SECRET}\n`);
  return {
    endpoint: running.endpoint,
    region: 'us-east-1',
    accessKeyId: { file: key },
    secretAccessKey: { file: secret },
  };
}

async function outputs(storage: S3): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of storage.list({ bucket: 'out', key: '' })) keys.push(key);
  return keys;
}

test('a job from S3 to S3, whose storage is killed in the middle and brought back, gives every line once', async () => {
  server = await S3Server.start();
  const storage = await openS3(server.access, { env: server.env });
  s3 = storage;
  home = ownHome();
  await server.makeBucket('data');
  await server.makeBucket('out');
  const texts = ['a', 'b', 'c'].map((name) =>
    Buffer.from(Array.from({ length: 20_000 }, (_, line) => `${name} ${line} ${'é'.repeat(line % 17)}\n`).join('')),
  );
  for (const [at, text] of texts.entries()) await storage.put({ bucket: 'data', key: `in/${at}.txt` }, text);
  const access = accessFor(server, home.folder);
  const spec = {
    name: 'copy',
    cwd: home.folder,
    run: { kind: 'shell', text: 'cat' },
    input: { type: 'text', from: ['s3://data/in/*.txt'], cut: { rows: 4_000 }, s3: access },
    output: { to: 's3://out/copy', collect: 'stdout', name: '{index:04}', s3: access },
  };
  writeFileSync(join(home.folder, 'spec.json'), JSON.stringify(spec));
  const submitted = home.run('dist/bin/spawn.js', 'submit', '--spec', join(home.folder, 'spec.json'), '--quiet');
  expect(submitted.status, submitted.stderr).toBe(0);
  await until('some outputs', async () => (await outputs(storage)).length >= 3);
  await server.kill();
  await server.start();
  const waited = home.run('dist/bin/spawn.js', 'wait', submitted.stdout.trim());
  expect(waited.status, waited.stderr).toBe(0);
  const keys = await outputs(storage);
  expect(keys).toEqual(Array.from({ length: 15 }, (_, index) => `copy/${String(index).padStart(4, '0')}`));
  const pieces: Uint8Array[] = [];
  for (const key of keys) {
    const { size } = (await storage.find({ bucket: 'out', key }))!;
    for await (const piece of storage.read({ bucket: 'out', key }, { from: 0, to: size })) pieces.push(piece);
  }
  expect(sha256(Buffer.concat(pieces))).toBe(sha256(Buffer.concat(texts)));
});
