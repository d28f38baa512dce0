import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { isSameListen, readListen, removeListen, toTcpOptions, writeListen } from './listen-record.ts';

function place(): string {
  const folder = mkdtempSync(join(tmpdir(), 'spawn-listen-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'run', 'listen.json');
}

const FULL = { listen: '[::1]:7700', tlsCert: '/c.pem', tlsKey: '/k.pem' };

test('what is written is read again by the same user alone, and gone when it was removed', () => {
  const path = place();
  expect(readListen(path)).toBeUndefined();
  for (const choice of [FULL, { listen: '0.0.0.0:0', plainHttp: true } as const, { listen: 'localhost:80' }]) {
    writeListen(path, choice);
    expect(readListen(path)).toEqual(choice);
    expect(isSameListen(readListen(path), choice)).toBe(true);
  }
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(path, '..'))).toEqual(['listen.json']);
  removeListen(path);
  removeListen(path);
  expect(readListen(path)).toBeUndefined();
});

test.each(['', '{', '{}', '{"listen":1}', '{"listen":"a:1","tlsCert":"/c"}', 'null'])('%j is refused', (text) => {
  const path = place();
  writeListen(path, FULL);
  writeFileSync(path, text);
  expect(() => readListen(path)).toThrow(/cannot be read: it is not what `spawn server start --listen` writes/);
});

test('choices differ in any of their parts', () => {
  const others = [undefined, { ...FULL, listen: '[::1]:1' }, { ...FULL, tlsCert: '/x' }, { ...FULL, tlsKey: '/x' }];
  for (const other of [...others, { ...FULL, plainHttp: true } as const]) expect(isSameListen(FULL, other)).toBe(false);
  expect(isSameListen(undefined, undefined)).toBe(true);
});

test('the server takes it in its own form', () => {
  const tls = { certFile: '/c.pem', keyFile: '/k.pem' };
  expect(toTcpOptions(FULL)).toEqual({ host: '::1', port: 7_700, tls, plainHttp: false });
  expect(toTcpOptions({ listen: 'a:1', plainHttp: true })).toEqual({ host: 'a', port: 1, plainHttp: true });
  expect(() => toTcpOptions({ listen: 'nonsense' })).toThrow('--listen: expected HOST:PORT');
});
