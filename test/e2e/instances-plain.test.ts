import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OwnInstances } from '../support/instances.ts';
import { until } from '../support/until.ts';

/** Instances where the kernel lets them have no namespaces. */
describe('instances that are not kept apart', { timeout: 120_000 }, () => {
  let own: OwnInstances;

  beforeAll(() => {
    // Their paths are everywhere: in variables, profiles, redirections.
    own = new OwnInstances(undefined, `it's "a" $x ;&|ü `);
    own.env.SPAWN_SANDBOX = 'plain';
  });
  afterAll(() => own.close());

  const marked = () =>
    readdirSync('/proc').filter((name) => {
      try {
        return readFileSync(`/proc/${name}/environ`, 'utf8').includes(`SPAWN_RUN_DIR=${own.dataDir}`);
      } catch {
        return false;
      }
    });

  test('a command with user-data and peers runs by the variables, and the launch says how they are', async () => {
    const { code, out, err } = await own.launched(
      ...['--count', '3', '--name', 'plain', '--ttl', '1h', '--on-complete', 'terminate'],
      ...['--user-data', 'echo "data $JOB_ARRAY_INDEX" > "$TMPDIR/data"'],
      ...[
        '--command',
        'cat "$TMPDIR/data"; spored wait-peers --timeout 30s && jq length "$SPAWN_PEERS_FILE"; wc -l < "$SPAWN_HOSTFILE"',
      ],
    );
    expect({ code, out: code === 0 ? '' : out + err }).toEqual({ code: 0, out: '' });
    expect(err).toMatch(/not kept apart on this machine \(SPAWN_SANDBOX=plain\).*SPAWN_PEERS_FILE/);
    expect((await own.run(['logs', 'plain-2'])).out).toMatch(/data 2\n3 members\n3\n3\n/);
  });

  test('stop, start, hibernate and connect', async () => {
    expect((await own.run(['launch', '--count', '2', '--name', 'life', '--ttl', '1h'])).code).toBe(0);
    await own.reached('life', 'running', 2);
    const inside = await own.run([
      'connect',
      'life-1',
      '--',
      'sh',
      '-c',
      'echo kept > "$TMPDIR/f"; spored status; exit 5',
    ]);
    expect(inside.code, inside.err).toBe(5);
    expect(inside.out, inside.err).toContain('running');
    await own.ok('hibernate', 'life-0', '-y');
    await own.reached('life', 'hibernated', 1);
    await own.ok('start', 'life-0');
    await own.ok('stop', 'life-1', '-y');
    await own.reached('life', 'stopped', 1);
    await own.ok('start', 'life-1');
    await own.reached('life', 'running', 2);
    expect((await own.run(['connect', 'life-1', '--', 'sh', '-c', 'cat "$TMPDIR/f"'])).out).toBe('kept\n');
    const reached = await own.run([
      'connect',
      'life-0',
      '--',
      'spored',
      'rsh',
      'life-1',
      'printenv',
      'SPAWN_INSTANCE_NAME',
    ]);
    expect(reached.out.trim(), reached.err).toBe('life-1');
    await own.ok('terminate', '--job-array-name', 'life', '-y');
    await own.reached('life', 'terminated', 2);
    await until('the end of all', () => marked().length === 0);
    expect(readdirSync(join(own.dataDir, 'instances')).filter((name) => name.startsWith('i-'))).toEqual([]);
  });

  test('its TTL ends it with agent and coordinator gone', async () => {
    expect((await own.run(['launch', '--name', 'brief', '--ttl', '8s', '--command', 'sleep 1000'])).code).toBe(0);
    await own.reached('brief', 'running', 1);
    await until('its command', () => marked().length >= 2);
    const records = readdirSync(own.files.agentDir).filter((name) => name.endsWith('.json'));
    const agents = records.map(
      (name) => JSON.parse(readFileSync(join(own.files.agentDir, name), 'utf8')).pid as number,
    );
    const others = [(await own.keeper()).pid, (await own.server()).pid];
    for (const pid of [...others, ...agents]) process.kill(pid, 'SIGKILL');
    await until('its end', () => marked().length === 0, 40_000);
    // The coordinator that comes back settles the rest.
    await own.reached('brief', 'terminated', 1);
  });
});
