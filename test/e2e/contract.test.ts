import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readEvents } from '../../src/client/server-sent-events.ts';
import { readSettings } from '../../src/config/settings.ts';
import { ReplyChecks, type Route } from '../support/reply-checks.ts';
import { makeSandbox, type Sandbox } from '../support/sandbox.ts';
import { ask } from '../support/server-on-socket.ts';

let box: Sandbox;
let socket: string;
let checks: ReplyChecks;

/** Jobs of every kind, so that every field of a reply comes up somewhere. */
beforeAll(async () => {
  box = makeSandbox();
  const folder = join(box.folder, 'work');
  mkdirSync(folder);
  const script = join(folder, 'a.sh');
  writeFileSync(script, '#!/bin/sh\necho hi\n');
  const submits = [
    ['--name', 'good', '--array', '3', '--wait', '--', 'sh', '-c', 'echo out; echo err >&2'],
    [
      '--name',
      'mixed',
      '--array',
      '6',
      '--retries',
      '1',
      '--wait',
      '--',
      'sh',
      '-c',
      'echo "task failed" >&2; exit $((JOB_ARRAY_INDEX % 3))',
    ],
    ['--name', 'killed', '--wait', '--', 'sh', '-c', 'kill -9 $$'],
    ['--name', 'slow', '--time-limit', '50ms', '--wait', '--', 'sleep', '100'],
    ['--name', 'script', '--memory', '10M', '--env', 'A=1', '--wait', script, 'x'],
    ['--name', 'runs', '--array', '2', '--cpus', '0.25', '--', 'sleep', '1000'],
    ['--name', 'waits', '--after', 'afterok:6', '--array', '2', '--deadline', '1d', '--', 'true'],
    ['--name', 'later', '--begin', '1h', '--priority', '5', '--max-failures', '3', '--', 'true'],
    ['--name', 'held', '--hold', '--array', '1-9:2%2', '--canary', '2', '--output', 'o.%a', '--', 'true'],
    ['--name', 'skipped', '--after', 'afterok:3', '--wait', '--', 'true'],
  ];
  for (const args of submits) {
    const { code, err } = await box.spawn(['submit', ...args], { cwd: folder });
    if (code !== 0 && !args.includes('--wait')) throw new Error(`${args.join(' ')}: ${code}: ${err}`);
  }
  writeFileSync(
    join(folder, 'q.yaml'),
    "name: night\njobs:\n- {id: a, command: exit 3, on_failure: stop}\n- {id: b, command: 'true', depends_on: [a]}\n",
  );
  const queue = await box.spawn(['queue', 'run', 'q.yaml', '--detach'], { cwd: folder });
  if (queue.code !== 0) throw new Error(`queue: ${queue.code}: ${queue.err}`);
  await ok('cancel', '--workflow', 'night');
  writeFileSync(join(folder, 'sweep.csv'), 'lr,n\n0.1,\n0.2,7\n');
  const sweep = await box.spawn(['sweep', '--param-file', 'sweep.csv', '--', 'true'], { cwd: folder });
  if (sweep.code !== 0) throw new Error(`sweep: ${sweep.code}: ${sweep.err}`);
  writeFileSync(join(folder, 'lines.txt'), 'one\ntwo\nthree\n');
  const parts =
    'name: parts\ninput: {type: text, from: lines.txt, cut: {rows: 1}}\nalgorithm: {command: wc -c | spored result -}\n';
  writeFileSync(join(folder, 'parts.yaml'), parts);
  const data = await box.spawn(['submit', 'parts.yaml', '--wait'], { cwd: folder });
  if (data.code !== 0) throw new Error(`parts: ${data.code}: ${data.err}`);
  await ok('hold', '9_3');
  await ok('cancel', '9_5');
  await ok('retry', '2', '--where', 'exit=1', '--memory', '64M');
  await ok('token', 'create', 'ada', '--role', 'read', '--expires', '1d');
  socket = readSettings(box.env, process.getuid!()).socketPath;
  checks = new ReplyChecks(JSON.parse((await ask(socket, 'GET /v1/openapi.json')).text));
});
afterAll(() => box.close());

async function ok(...args: string[]): Promise<void> {
  const { code, err } = await box.spawn(args);
  if (code !== 0) throw new Error(`spawn ${args.join(' ')}: ${code}: ${err}`);
}

const TOO_LONG = /event-stream/;

/** The whole reply; of one that does not end, its first event. */
async function reply(line: string, body?: object): Promise<{ status: number; type: string; values: unknown[] }> {
  const [method = '', path = ''] = line.split(' ');
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers =
    text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  const sent = request({ socketPath: socket, method, path, headers, agent: false }).end(text);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  const { statusCode: status = 0, headers: given } = answer;
  const type = given['content-type'] ?? '';
  if (TOO_LONG.test(type)) {
    for await (const { data } of readEvents(answer)) {
      sent.destroy();
      return { status, type, values: [JSON.parse(data)] };
    }
  }
  const bytes = Buffer.concat(await answer.toArray());
  if (type.startsWith('application/octet-stream')) return { status, type, values: [] };
  const lines = type.startsWith('application/x-ndjson')
    ? bytes.toString().split('\n').filter(Boolean)
    : [bytes.toString()];
  return { status, type, values: lines.map((line) => JSON.parse(line)) };
}

function faultsOf(route: Route, { status, type, values }: Awaited<ReturnType<typeof reply>>): string[] {
  return values.flatMap((value) => checks.faults(route, status, value).map((fault) => `${status} ${type}: ${fault}`));
}

const QUICK = { cwd: '/', run: { kind: 'argv', argv: ['true'] } };

const REFS = [
  '1',
  '2',
  '3',
  '4',
  '5',
  '6',
  '7',
  '8',
  '9',
  '10',
  '12',
  '13',
  'night',
  '2_1',
  '9_3',
  '9_[1-5]',
  'mixed',
  'parts',
  '99',
  'nobody',
  '1_77',
];
const QUERIES: Readonly<Record<string, readonly string[]>> = {
  jobs: ['', '?show=all', '?show=all&limit=3', '?show=all&name=mixed'],
  tasks: ['', '?limit=2', '?state=failed,completed,running'],
  events: ['', '?limit=3', '?ref=2', '?ref=2_1', '?ref=6_0'],
  watchEvents: ['', '?ref=2', '?ref=2_1'],
  watchGrid: ['?cells=4', ''],
  logs: ['', '?tail=1&stream=err'],
  grep: ['?pattern=failed', '?pattern=o&limit=2&stream=out', '?pattern=%28'],
  diffLogs: ['', '?stream=err'],
  tokens: ['', '?all=1'],
};

test('each reply of a GET holds what the document says, and no field more', async () => {
  const wrong: string[] = [];
  const looked = new Set<string>();
  for (const route of checks.routes.filter(({ method, operationId }) => method === 'GET' && operationId !== 'stream')) {
    const refs = route.path.includes('{ref}') ? REFS : [''];
    for (const ref of refs) {
      for (const query of QUERIES[route.operationId] ?? ['']) {
        const path = route.path.replace('{ref}', encodeURIComponent(ref)).replace('{hash}', 'a'.repeat(64));
        const answer = await reply(`GET ${path}${query}`);
        if (answer.status === 200) looked.add(route.operationId);
        else expect([400, 404, 409], `${path}${query}`).toContain(answer.status);
        wrong.push(...faultsOf(route, answer).map((fault) => `GET ${path}${query}: ${fault}`));
      }
    }
  }
  expect([...new Set(wrong)]).toEqual([]);
  // Nothing was stored under that hash, no session here is of an instance, and no task put anything aside.
  const gets = checks.routes.filter(({ method }) => method === 'GET').map(({ operationId }) => operationId);
  expect(
    gets.filter((name) => !looked.has(name) && !['stream', 'getBlob', 'peers', 'checkpoint'].includes(name)),
  ).toEqual([]);
});

test('each reply of a verb does so too', async () => {
  const verbs: readonly (readonly [operation: string, line: string, body?: object])[] = [
    ['hold', 'POST /v1/jobs/7/hold', { index: '0' }],
    ['release', 'POST /v1/jobs/7/release'],
    ['signal', 'POST /v1/jobs/7/signal', { signal: 10 }],
    ['signal', 'POST /v1/jobs/7/signal', {}],
    ['update', 'PATCH /v1/jobs/7', { priority: 3, maxFailures: 2, deadlineInMs: 1_000_000 }],
    ['requeue', 'POST /v1/jobs/5/requeue', {}],
    ['retry', 'POST /v1/jobs/3/retry', { timeLimitMs: 5_000 }],
    ['cancel', 'POST /v1/jobs/9_7/cancel'],
    ['cancel', 'POST /v1/jobs/99/cancel'],
    ['update', 'PATCH /v1/jobs/1', { throttle: 1 }],
    ['submit', 'POST /v1/jobs', { spec: QUICK, dryRun: true }],
    ['submit', 'POST /v1/jobs', { spec: 5 }],
    ['submitWorkflow', 'POST /v1/workflows', { jobs: [{ key: 'a', spec: QUICK }], dryRun: true }],
    ['submitWorkflow', 'POST /v1/workflows', { jobs: [] }],
    ['submitWorkflow', 'POST /v1/workflows', { jobs: [{ key: 'a', spec: { ...QUICK, after: '@a' } }] }],
    ['workflowVerb', 'POST /v1/workflows/night/retry'],
    ['workflowVerb', 'POST /v1/workflows/1/cancel'],
    ['prune', 'POST /v1/prune', { olderThanMs: 0, dryRun: true }],
    ['createToken', 'POST /v1/tokens', { name: 'eve', role: 'worker' }],
    ['createToken', 'POST /v1/tokens', { name: 'eve', role: 'worker' }],
    ['revokeToken', 'DELETE /v1/tokens/eve'],
    ['revokeToken', 'DELETE /v1/tokens/nobody'],
    ['hello', 'POST /v1/sessions', { worker: 'w' }],
  ];
  const wrong: string[] = [];
  for (const [operation, line, body] of verbs) {
    wrong.push(...faultsOf(checks.route(operation), await reply(line, body)).map((fault) => `${line}: ${fault}`));
  }
  expect(wrong).toEqual([]);
});

test('the checks find a field that is not in the document, and one that is missing', async () => {
  const route = checks.route('job');
  const { values } = await reply('GET /v1/jobs/1');
  const job = values[0] as Record<string, unknown>;
  expect(checks.faults(route, 200, { ...job, colour: 'red' })).toEqual([expect.stringContaining('colour')]);
  expect(checks.faults(route, 200, { ...job, counts: { ...(job.counts as object), odd: 1 } })).toHaveLength(1);
  expect(checks.faults(route, 200, { ...job, id: '1' })).toEqual([expect.stringContaining('id: ')]);
  expect(checks.faults(route, 404, {})).toHaveLength(1);
});
