import { expect, test } from 'vitest';
import { addressText, isLoopback, parseAddress } from './address.ts';

test.each([
  ['127.0.0.1:7700', '127.0.0.1', 7700],
  ['0.0.0.0:0', '0.0.0.0', 0],
  ['[::1]:65535', '::1', 65_535],
  ['[fe80::1%eth0]:80', 'fe80::1%eth0', 80],
  ['head.cluster.example:443', 'head.cluster.example', 443],
])('%s', (text, host, port) => {
  expect(parseAddress(text, '--listen')).toEqual({ host, port });
  expect(addressText({ host, port })).toBe(text);
});

test.each([
  '',
  '7700',
  ':7700',
  '::1:7700',
  'host:',
  'host:x',
  'host:65536',
  'host:-1',
  'http://host:1',
  'a b:1',
  'u@h:1',
])('%j is no address', (text) => {
  expect(() => parseAddress(text, '--listen')).toThrow(
    `--listen: expected HOST:PORT, such as 0.0.0.0:7700 or [::1]:7700, found ${JSON.stringify(text)}`,
  );
});

test('what never leaves this machine', () => {
  expect(['localhost', 'LocalHost', '127.0.0.1', '127.255.0.9', '::1'].filter((host) => !isLoopback(host))).toEqual([]);
  const others = ['0.0.0.0', '::', '10.0.0.1', '128.0.0.1', 'localhost.example', 'x127.0.0.1', '127.0.0.1.example'];
  expect(others.filter(isLoopback)).toEqual([]);
});
