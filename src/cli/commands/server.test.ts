import { describe, expect, test } from 'vitest';
import { aServer, runCli } from '../../../test/support/cli-world.ts';
import { anInstance } from '../../../test/support/instance-views.ts';
import { SpawnError } from '../../core/errors.ts';
import type { ServerControl } from '../world.ts';

function control(part: Partial<ServerControl>): { world: { server: () => Promise<ServerControl> } } {
  const never = async () => {
    throw new Error('not to be asked');
  };
  const all: ServerControl = { start: never, serveHere: never, stop: never, status: never, ...part };
  return { world: { server: async () => all } };
}

describe('server', () => {
  test.each([
    [true, 'started: pid 4711, data in /home/ada/.local/share/spawn\n'],
    [false, 'runs already: pid 4711, data in /home/ada/.local/share/spawn\n'],
  ])('start (was it needed: %s)', async (started, out) => {
    const world = control({ start: async () => ({ started, server: aServer() }) });
    expect(await runCli(['server', 'start'], world)).toMatchObject({ code: 0, out });
  });

  test('start gives on what it is told of the network, and says where it listens', async () => {
    const given: unknown[] = [];
    const listens = ['https://0.0.0.0:7700'];
    const world = control({
      start: async (flags) => {
        given.push(flags);
        return { started: true, server: aServer({ listens }) };
      },
      serveHere: async (flags) => given.push(flags),
    });
    const words = ['--listen', '0.0.0.0:7700', '--tls-cert', 'c.pem', '--tls-key', '/k.pem'];
    expect((await runCli(['server', 'start', ...words], world)).out).toMatch(
      /\nlistens on https:\/\/0\.0\.0\.0:7700\n$/,
    );
    await runCli(['server', 'start', '--foreground', '--listen', '[::1]:0', '--plain-http'], world);
    await runCli(['server', 'start'], world);
    const none = { listen: undefined, tlsCert: undefined, tlsKey: undefined, plainHttp: false };
    expect(given).toEqual([
      { ...none, listen: '0.0.0.0:7700', tlsCert: '/tmp/c.pem', tlsKey: '/k.pem' },
      { ...none, listen: '[::1]:0', plainHttp: true },
      none,
    ]);
  });

  test('start --foreground gives the exit code of what served', async () => {
    expect(await runCli(['server', 'start', '--foreground'], control({ serveHere: async () => 143 }))).toMatchObject({
      code: 143,
    });
  });

  test.each([
    [true, 'stopped\n'],
    [false, 'not running\n'],
  ])('stop (was there one: %s)', async (stopped, out) => {
    expect(await runCli(['server', 'stop'], control({ stop: async () => stopped }))).toMatchObject({ code: 0, out });
  });

  test.each([
    [1, 'spawn: 1 instance goes on, each until its own end; spawn server start takes over what then runs\n'],
    [2, 'spawn: 2 instances go on, each until its own end; spawn server start takes over what then runs\n'],
  ])('stop tells of %i instances that go on', async (count, err) => {
    const instances = async () => ({ instances: Array.from({ length: count }, (_, n) => anInstance(n)) });
    const world = control({ stop: async () => true });
    const ran = await runCli(['server', 'stop'], { ...world, client: { instances } });
    expect(ran).toMatchObject({ code: 0, out: 'stopped\n', err });
  });

  test('stop asks nothing of a server that hangs for long', async () => {
    const instances = async () => {
      throw new SpawnError('SERVER_UNREACHABLE', { address: 'x', why: 'no answer' });
    };
    const world = control({ stop: async () => true });
    expect(await runCli(['server', 'stop'], { ...world, client: { instances } })).toMatchObject({
      code: 0,
      out: 'stopped\n',
      err: '',
    });
  });

  test('status', async () => {
    const up = control({ status: async () => aServer() });
    expect((await runCli(['server', 'status'], up)).out).toMatch(/^Coordinator 0\.1\.0 on lovelace \(pid 4711\)\n/);
    expect(JSON.parse((await runCli(['server', 'status', '-o', 'json'], up)).out)).toMatchObject({
      running: true,
      pid: 4_711,
    });
  });

  test('status where none runs', async () => {
    const down = control({ status: async () => undefined });
    expect(await runCli(['server', 'status'], down)).toMatchObject({ code: 3, out: 'not running\n' });
    expect(await runCli(['server', 'status', '-o', 'json'], down)).toMatchObject({
      code: 3,
      out: '{\n  "running": false\n}\n',
    });
  });

  test.each([
    [[], 'server: expected start, stop or status, found nothing; see: spawn help server'],
    [['strat'], 'server: expected start or stop or status, found "strat"; did you mean "start"?'],
    [['stop', '--foreground'], 'server stop: expected --foreground with server start only'],
    [['status', '--listen', 'a:1'], 'server status: expected --listen with server start only'],
    [['stop', '--tls-cert', 'c'], 'server stop: expected --tls-cert with server start only'],
    [['stop', '--tls-key', 'c'], 'server stop: expected --tls-key with server start only'],
    [['stop', '--plain-http'], 'server stop: expected --plain-http with server start only'],
    [['start', '--listen', '7700'], '--listen: expected HOST:PORT, such as 0.0.0.0:7700 or [::1]:7700, found "7700"'],
    [['start', '-o', 'json'], 'server start: expected -o with server status only'],
  ])('refuses %j', async (words, message) => {
    expect(await runCli(['server', ...words], control({}))).toMatchObject({ code: 2, err: `spawn: ${message}\n` });
  });

  test('refuses to control a coordinator that is elsewhere', async () => {
    const ran = await runCli(['server', 'stop'], { world: { env: { SPAWN_SERVER: 'https://x' } } });
    expect(ran).toMatchObject({
      code: 2,
      err: 'spawn: server stop: expected no SPAWN_SERVER (the coordinator is elsewhere), found "https://x"\n',
    });
    const secret = await runCli(['server', 'stop'], { world: { env: { SPAWN_SERVER: 'https://me:pass@x' } } });
    expect(secret.err).toMatch(/found "https:\/\/…@x"\n$/);
  });
});
