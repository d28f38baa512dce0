import { describe, expect, test } from 'vitest';
import { MAX_SOCKET_PATH_BYTES, readSettings } from './settings.ts';

describe('readSettings', () => {
  test('defaults to the home folder and a folder of this user in /tmp', () => {
    expect(readSettings({ HOME: '/home/ada' }, 1000)).toEqual({
      dataDir: '/home/ada/.local/share/spawn',
      runtimeDir: '/tmp/spawn-1000',
      socketPath: expect.stringMatching(/^\/tmp\/spawn-1000\/[0-9a-f]{12}\.sock$/),
    });
  });

  test('follows the XDG variables, and the SPAWN ones before them', () => {
    const xdg = { HOME: '/home/ada', XDG_DATA_HOME: '/data', XDG_RUNTIME_DIR: '/run/user/1000' };
    expect(readSettings(xdg, 1000)).toMatchObject({ dataDir: '/data/spawn', runtimeDir: '/run/user/1000/spawn' });
    const own = { ...xdg, SPAWN_DATA_DIR: '/own/data', SPAWN_RUNTIME_DIR: '/own/run', SPAWN_SERVER: 'https://x' };
    expect(readSettings(own, 1000)).toMatchObject({
      dataDir: '/own/data',
      runtimeDir: '/own/run',
      server: 'https://x',
    });
  });

  test('takes empty variables as not set, and ignores relative XDG ones', () => {
    const env = { HOME: '/home/ada', SPAWN_DATA_DIR: '', XDG_DATA_HOME: 'data', XDG_RUNTIME_DIR: '', SPAWN_SERVER: '' };
    expect(readSettings(env, 7)).toEqual(readSettings({ HOME: '/home/ada' }, 7));
  });

  test('makes a relative SPAWN_DATA_DIR absolute', () => {
    expect(readSettings({ SPAWN_DATA_DIR: 'data' }, 7).dataDir).toBe(`${process.cwd()}/data`);
  });

  test('gives each data directory its own socket', () => {
    const one = readSettings({ SPAWN_DATA_DIR: '/a', SPAWN_RUNTIME_DIR: '/run' }, 7);
    const other = readSettings({ SPAWN_DATA_DIR: '/b', SPAWN_RUNTIME_DIR: '/run' }, 7);
    expect(one.socketPath).not.toBe(other.socketPath);
    expect(readSettings({ SPAWN_DATA_DIR: '/a/', SPAWN_RUNTIME_DIR: '/run' }, 7)).toEqual(one);
  });

  test('keeps the socket where the path just fits, and moves it to /tmp where it does not', () => {
    const rest = '/0123456789ab.sock'.length;
    const folder = (length: number) => `/${'r'.repeat(length - 1)}`;
    const fitting = readSettings({ SPAWN_DATA_DIR: '/a', SPAWN_RUNTIME_DIR: folder(MAX_SOCKET_PATH_BYTES - rest) }, 7);
    expect(Buffer.byteLength(fitting.socketPath)).toBe(MAX_SOCKET_PATH_BYTES);
    const long = { SPAWN_DATA_DIR: '/a', SPAWN_RUNTIME_DIR: folder(MAX_SOCKET_PATH_BYTES - rest + 1) };
    const moved = readSettings(long, 7);
    expect(moved.socketPath).toMatch(/^\/tmp\/spawn-7\/[0-9a-f]{12}\.sock$/);
    expect(moved.runtimeDir).toBe('/tmp/spawn-7');
    const elsewhere = readSettings({ ...long, SPAWN_RUNTIME_DIR: folder(200) }, 7);
    expect(elsewhere.socketPath).not.toBe(moved.socketPath);
    expect(readSettings({ ...long, SPAWN_DATA_DIR: '/b' }, 7).socketPath).not.toBe(moved.socketPath);
  });

  test('counts bytes, not characters', () => {
    const accented = `/${'é'.repeat(60)}`;
    expect(readSettings({ SPAWN_RUNTIME_DIR: accented }, 7).runtimeDir).toBe('/tmp/spawn-7');
  });

  test('knows the coordinator elsewhere and where to listen; the token is not shown with the rest', () => {
    const settings = readSettings(
      {
        SPAWN_SERVER: 'https://x',
        SPAWN_TOKEN: 'secret',
        SPAWN_TOKEN_FILE: '/t',
        SPAWN_CA_FILE: 'ca.pem',
        SPAWN_LISTEN: '0.0.0.0:1',
        SPAWN_TLS_CERT: '/c',
        SPAWN_TLS_KEY: '/k',
      },
      7,
    );
    expect(settings).toMatchObject({
      server: 'https://x',
      tokenFile: '/t',
      caFile: `${process.cwd()}/ca.pem`,
      listen: '0.0.0.0:1',
      tlsCert: '/c',
      tlsKey: '/k',
    });
    expect(settings.token?.()).toBe('secret');
    expect(JSON.stringify(settings)).not.toContain('secret');
    expect(readSettings({ SPAWN_TOKEN: '', SPAWN_LISTEN: '', SPAWN_TLS_CERT: '' }, 7)).toEqual(readSettings({}, 7));
  });
});
