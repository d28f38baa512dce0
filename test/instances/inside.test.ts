import { existsSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { until } from '../support/until.ts';
import { begin, folder, read, run, withCompletionFile, write } from './inside-command.ts';
import { ended } from './inside-members.ts';

async function withAgent<T>(reply: (request: Record<string, unknown>) => unknown, use: () => Promise<T>): Promise<T> {
  const server = createServer((link) => {
    link.on('error', () => {});
    let text = '';
    link.on('data', (bytes) => {
      text += bytes;
      if (!text.endsWith('\n')) return;
      const answer = reply(JSON.parse(text) as Record<string, unknown>);
      link.end(typeof answer === 'string' ? answer : `${JSON.stringify(answer)}\n`);
    });
  });
  await new Promise<void>((resolve) => void server.listen(join(folder, 'run/agent.sock'), resolve));
  try {
    return await use();
  } finally {
    server.close();
  }
}

describe('complete', () => {
  test('with the agent away writes the file and the note, whole', async () => {
    withCompletionFile();
    const { code, out, err } = await run(['complete', '-s', 'failed', '-m', 'no "disk"\n…']);
    expect([code, out]).toEqual([0, `Completion signal given: failed (${folder}/complete)\n`]);
    expect(err).toBe(
      'spored complete: the agent is away (nobody listens on agent.sock); it finds the signal when it is back\n',
    );
    expect(read('complete')).toEqual({
      status: 'failed',
      message: 'no "disk"\n…',
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(read('run/completion.json')).toEqual({ ...read('complete'), file: join(folder, 'complete') });
    expect(await run(['status', '--check-complete'])).toMatchObject({ code: 1, out: 'failed\n' });
  });

  test('the first signal counts: the same again changes nothing, another one is refused', async () => {
    withCompletionFile();
    await run(['complete', '-m', 'one']);
    const before = readFileSync(join(folder, 'complete'), 'utf8');
    const again = await run(['complete', '-s', 'success', '-m', 'two']);
    expect(again).toMatchObject({ code: 0, out: `Completion signal was given before: success (${folder}/complete)\n` });
    expect(await run(['complete', '-s', 'failed'])).toMatchObject({
      code: 1,
      err: 'spored complete: expected the first signal to stand, found failed after success; nothing was changed\n',
    });
    expect(readFileSync(join(folder, 'complete'), 'utf8')).toBe(before);
    expect(await run(['status', '--check-complete'])).toMatchObject({ code: 0, out: 'complete\n' });
  });

  test('a second one without --file names that of the first, and makes no other', async () => {
    withCompletionFile();
    await run(['complete', '--file', join(folder, 'own')]);
    const again = await run(['complete']);
    expect(again).toMatchObject({ code: 0, out: `Completion signal was given before: success (${folder}/own)\n` });
    expect(existsSync(join(folder, 'complete'))).toBe(false);
  });

  test('of two at once one is the first', async () => {
    withCompletionFile();
    const both = await Promise.all(['success', 'failed'].map((status) => run(['complete', '-s', status])));
    expect(both.map(({ code }) => code).toSorted()).toEqual([0, 1]);
    const won = both[0]!.code === 0 ? 'success' : 'failed';
    expect(read('complete')).toMatchObject({ status: won });
  });

  test('is acknowledged by the agent, which may know of an earlier one', async () => {
    withCompletionFile();
    const asked: unknown[] = [];
    const answer = (request: unknown) => {
      asked.push(request);
      return { ok: true, first: true, status: 'success' };
    };
    const given = await withAgent(answer, () => run(['complete', '--message', 'x', '--file', 'own']));
    expect(given).toMatchObject({ code: 0, err: '', out: `Completion signal given: success (${folder}/own)\n` });
    const message = { command: 'complete', status: 'success', message: 'x', file: join(folder, 'own') };
    expect(asked).toEqual([{ ...message, timestamp: expect.any(String) }]);
    rmSync(join(folder, 'run/completion.json'));
    rmSync(join(folder, 'own'));
    const other = await withAgent(
      () => ({ ok: true, first: false, status: 'failed' }),
      () => run(['complete']),
    );
    expect(other).toMatchObject({ code: 1, err: expect.stringContaining('found success after failed') });
  });

  test.each<[string, unknown, number, string]>([
    ['refuses', { ok: false, error: 'status: expected better' }, 69, 'the agent refused: status: expected better'],
    ['goes away', '', 0, 'the agent is away (it went away before it answered)'],
    ['says nonsense', 'hello\n', 0, 'the agent is away (its answer was no JSON object with ok)'],
  ])('when the agent %s', async (_, reply, code, says) => {
    withCompletionFile();
    const ran = await withAgent(
      () => reply,
      () => run(['complete']),
    );
    expect(ran).toMatchObject({ code, err: expect.stringContaining(says) });
  });
});

describe('status', () => {
  const status = {
    instance_id: 'i-1',
    name: 'm-0',
    state: 'running',
    instance_type: 't3.micro',
    availability_zone: 'local-a',
    started_at: '2026-01-13T12:00:00.000Z',
    elapsed_seconds: 3_700,
    ttl: { configured: true, remaining_seconds: 5_000, terminate_at: '2026-01-13T14:00:00.000Z' },
    idle: { configured: true, timeout_seconds: 600, idle_seconds: 61, action: 'stop' },
    on_complete: { action: 'terminate', completion_file: '/nowhere/x' },
    cost: { price_per_hour: 0.0104, cumulative_cost: 0.0107, cost_limit: 1 },
    cpu_percent: 12.345,
    job_array: { id: 'm-20260101-0a1b2c', name: 'm', index: 0, size: 4 },
    completion: null,
  };

  test('as text and as JSON, from the agent', async () => {
    const text = await withAgent(
      () => ({ ok: true, status }),
      () => run(['status']),
    );
    expect(text).toMatchObject({ code: 0, err: '' });
    expect(text.out).toBe(`Instance:    m-0 (i-1)
State:       running
Array:       m (index 0 of 4)
Type:        t3.micro (local-a)
Running for: 1h1m40s (2026-01-13T12:00:00.000Z)
TTL:         1h23m20s left (2026-01-13T14:00:00.000Z)
Idle for:    1m1s (stop after 10m0s)
On complete: terminate (/nowhere/x)
Completion:  none yet
Cost:        $0.0107 ($0.0104 an hour, limit $1.0000)
CPU:         12.3 %
Agent:       running
`);
    const json = await withAgent(
      () => ({ ok: true, status }),
      () => run(['status', '-o', 'json']),
    );
    expect(JSON.parse(json.out)).toEqual({ ...status, agent: 'running' });
  });

  test('with the agent away what it wrote last, and that it is so', async () => {
    write('etc/status.json', status);
    const { code, out, err } = await run(['status', '-o', 'json']);
    expect([code, JSON.parse(out)]).toEqual([0, { ...status, agent: 'away' }]);
    expect(err).toBe('spored status: the agent is away (nobody listens on agent.sock); this is what it wrote last\n');
    rmSync(join(folder, 'etc/status.json'));
    expect(await run(['status'])).toMatchObject({ code: 69, out: '' });
  });

  test.each<[string, unknown, number, string]>([
    ['nothing yet', null, 2, 'running\n'],
    ['success', { status: 'success' }, 0, 'complete\n'],
    ['failed', { status: 'failed' }, 1, 'failed\n'],
  ])('--check-complete asks the agent how the command ended: %s', async (_, completion, code, out) => {
    const ran = await withAgent(
      () => ({ ok: true, status: { ...status, completion } }),
      () => run(['status', '--check-complete']),
    );
    expect(ran).toMatchObject({ code, out });
  });

  test.each<[string, number]>([
    ['', 0],
    ['{}', 0],
    ['done', 0],
    ['{"status":"success"}', 0],
    ['{"status":"failed"}', 1],
    ['{"status":"failure"}', 1],
    ['{"status":"error"}', 1],
    ['x'.repeat(100_000), 0],
  ])('a completion file that a program made by hand, %j', async (text, code) => {
    withCompletionFile();
    write('complete', text);
    expect((await run(['status', '--check-complete'])).code).toBe(code);
  });

  test('--check-complete is an error where nobody knows', async () => {
    expect(await run(['status', '--check-complete'])).toMatchObject({ code: 3, out: '' });
  });
});

describe('wait-peers', () => {
  test('returns as soon as the file is whole', async () => {
    const waiting = begin(['wait-peers', '--timeout', '30s']);
    const end = ended(waiting);
    // Not whole: written in place, by somebody else than the agent.
    write('etc/job-array-peers.json', '[{"index":0,');
    utimesSync(join(folder, 'etc/job-array-peers.json'), 1, 1);
    write('etc/job-array-peers.json', [
      { index: 0, dns: 'm-0.x' },
      { index: 1, dns: 'm-1.x' },
    ]);
    expect(await end).toMatchObject({ code: 0, out: '2 members\n' });
  });

  test('ends with 1 when the time is over, and tells of no directory', async () => {
    const { code, err } = await run(['wait-peers', '--timeout', '20ms']);
    const says = `expected ${folder}/etc/job-array-peers.json within 20ms, found it missing or not whole`;
    expect([code, err]).toEqual([1, `spored wait-peers: ${says}\n`]);
    write('etc/job-array-peers.json', []);
    expect(await run(['wait-peers', '--timeout', '0'])).toMatchObject({ code: 1 });
  });
});

describe('config and reload', () => {
  test('ask the agent, which answers when it holds', async () => {
    const values: Record<string, string> = { ttl: '2h', 'on-idle': 'stop' };
    const asked: unknown[] = [];
    const agent = (request: Record<string, unknown>) => {
      asked.push(request);
      if (request.command === 'config-list') return { ok: true, values };
      if (request.command === 'reload') return { ok: true, changed: ['ttl', 'hosts'] };
      if (request.value === '1s') return { ok: false, error: 'ttl: expected more, found "1s"' };
      return { ok: true, value: request.value ?? values[request.key as string] };
    };
    await withAgent(agent, async () => {
      expect(await run(['config', 'list'])).toMatchObject({
        code: 0,
        out: 'ttl               2h\non-idle           stop\n',
      });
      expect(JSON.parse((await run(['config', 'list', '-o', 'json'])).out)).toEqual(values);
      expect(await run(['config', 'get', 'ttl'])).toMatchObject({ code: 0, out: '2h\n' });
      expect(await run(['config', 'set', 'ttl', '1d12h30m'])).toMatchObject({ code: 0, out: '1d12h30m\n' });
      const refused = await run(['config', 'set', 'ttl', '1s']);
      expect(refused).toMatchObject({ code: 1, err: 'spored config: ttl: expected more, found "1s"\n' });
      expect(await run(['reload'])).toMatchObject({ code: 0, out: 'Reloaded: changed ttl, hosts\n' });
    });
    expect(asked[3]).toEqual({ command: 'config-set', key: 'ttl', value: '1d12h30m' });
  });

  test('end with 69 when no agent answers', async () => {
    const why = 'the agent does not answer: nobody listens on agent.sock';
    expect(await run(['config', 'set', 'ttl', '2h'])).toMatchObject({ code: 69, err: `spored config: ${why}\n` });
    expect(await run(['reload'])).toMatchObject({ code: 69, err: `spored reload: ${why}\n` });
  });
});

describe('boot without an init', () => {
  test('says that user-data is a part of the attempt, and ends by the signal', async () => {
    withCompletionFile();
    write('etc/user-data', 'echo from user-data; echo error >&2; touch here');
    const boot = begin(['boot']);
    const end = ended(boot);
    await until('user-data to run', () => existsSync(join(folder, 'here')) || undefined);
    await run(['complete']);
    expect(await end).toMatchObject({
      code: 0,
      out: 'from user-data\n',
      err: expect.stringMatching(/nobody starts processes on exec.sock.*\nerror\n/),
    });
  });
});
