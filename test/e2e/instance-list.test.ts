import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasProgram, requireOr } from '../support/require.ts';
import { makeSandbox, type Sandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

let box: Sandbox;
beforeAll(() => {
  box = makeSandbox();
  mkdirSync(join(box.folder, 'bin'));
  symlinkSync(join(root, 'node_modules/node/bin/node'), join(box.folder, 'bin/node'));
  const script = `#!/bin/sh\nexec "${join(box.folder, 'bin/node')}" "${join(root, 'dist/bin/spawn.js')}" "$@"\n`;
  writeFileSync(join(box.folder, 'bin/spawn'), script, { mode: 0o755 });
});
afterAll(() => box.close());

const spawn = (...words: string[]) => box.spawn(words);
/** A line as a person types it, with `spawn` in PATH. */
async function line(text: string): Promise<string> {
  const env = { ...box.env, PATH: `${join(box.folder, 'bin')}:${box.env.PATH}` };
  return (await run('bash', ['-c', text], { cwd: box.folder, env })).stdout.trim();
}

test('without any instance: nothing at all, and an empty array', async () => {
  expect(await spawn('list')).toMatchObject({ code: 0, out: '' });
  expect(await spawn('list', '--json')).toMatchObject({ code: 0, out: '[]\n', err: '' });
  expect(await spawn('cost')).toMatchObject({ code: 0, out: '', err: '' });
  expect(await spawn('stop', '--job-array-name', 'compute')).toMatchObject({
    code: 66,
    err: 'spawn: no instance fits --job-array-name compute\n',
  });
  expect(await line('spawn list --state running | wc -l')).toBe('0');
});

requireOr('jq', hasProgram('jq'))('the lines of the documents, as they are typed', async () => {
  const launched = await spawn('launch', '--count', '3', '--job-array-name', 'compute', '--ttl', '30m');
  expect(launched).toMatchObject({ code: 0 });
  const running = 'spawn list --tag array:id=$ARRAY_ID --state running | wc -l';
  const id = await line("spawn list --job-array-name compute -o json | jq -r '.[0].job_array_id'");
  expect(launched.out).toContain(id);
  const withId = (text: string) => line(`ARRAY_ID=${id}; ${text}`);
  await until('all to run', async () => (await withId(running)) === '3');
  expect(await withId('spawn list --tag array:id=$ARRAY_ID | wc -l')).toBe('3');
  expect(await withId(`echo "Running: $(${running})/100"`)).toBe('Running: 3/100');
  expect(await withId('spawn list --tag array:id=$ARRAY_ID --state terminated | wc -l')).toBe('0');
  expect(await line('spawn list --region local | wc -l')).toBe('3');

  const left = (name: string) =>
    line(`spawn list --name ${name} --json | jq '.[0].ttl_remaining_seconds'`).then(Number);
  await line('spawn extend --job-array-name compute 4h');
  expect(await left('compute-1')).toBeGreaterThan(4 * 3_600);
  await line('spawn extend --job-array-name compute --ttl 8h');
  expect(await left('compute-1')).toBeGreaterThan(8 * 3_600 - 60);
  await line('spawn extend compute-0 2h');
  expect(await left('compute-0')).toBeGreaterThan(10 * 3_600 - 60);

  await line('spawn stop --job-array-name compute');
  await until('all to stop', async () => (await line('spawn list --state stopped | wc -l')) === '3');
  await line('spawn start --job-array-name compute');
  await until('all to run again', async () => (await withId(running)) === '3');
  expect(await withId("spawn cost --tag array:id=$ARRAY_ID -o json | jq -r '.arrays[0].members | length'")).toBe('3');

  await withId('spawn terminate -y --job-array-id $ARRAY_ID');
  await until('all to end', async () => {
    return (await withId('spawn list --tag array:id=$ARRAY_ID --state terminated | wc -l')) === '3';
  });
  expect(await withId('spawn list --job-array-id $ARRAY_ID | wc -l')).toBe('3');
  expect(await spawn('terminate', '-y', '--job-array-id', id)).toMatchObject({
    code: 0,
    err: 'spawn: terminate: no instance terminated, 3 with nothing to do\n',
  });
});
