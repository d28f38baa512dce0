import { expect, test } from 'vitest';
import { chooseListen } from './choose-listen.ts';
import type { ListenFlags } from './world.ts';

const NONE: ListenFlags = { listen: undefined, tlsCert: undefined, tlsKey: undefined, plainHttp: false };

function choose(flags: Partial<ListenFlags>, defaults: Parameters<typeof chooseListen>[1] = {}) {
  return chooseListen({ ...NONE, ...flags }, defaults);
}

test('flags come before settings, and without either no port is opened', () => {
  const listen = '0.0.0.0:7700';
  expect(choose({})).toBeUndefined();
  expect(choose({}, { tlsCert: '/c', tlsKey: '/k' })).toBeUndefined();
  expect(choose({ listen: '127.0.0.1:1' })).toEqual({ listen: '127.0.0.1:1' });
  expect(choose({ listen, plainHttp: true }, { tlsCert: '/c', tlsKey: '/k' })).toEqual({ listen, plainHttp: true });
  expect(choose({}, { listen, tlsCert: '/c', tlsKey: '/k' })).toEqual({ listen, tlsCert: '/c', tlsKey: '/k' });
  expect(choose({ tlsKey: '/other' }, { listen, tlsCert: '/c', tlsKey: '/k' })).toEqual({
    listen,
    tlsCert: '/c',
    tlsKey: '/other',
  });
  expect(choose({ listen: 'localhost:1' }, { listen })).toEqual({ listen: 'localhost:1' });
});

test.each([
  [{ tlsCert: '/c' }, {}, 'expected --tls-cert with --listen only'],
  [{ tlsKey: '/c' }, {}, 'expected --tls-key with --listen only'],
  [{ plainHttp: true }, {}, 'expected --plain-http with --listen only'],
  [{ listen: 'a:1', tlsCert: '/c' }, {}, 'expected --tls-cert and --tls-key together, found --tls-cert alone'],
  [{ listen: 'a:1', tlsKey: '/c' }, {}, 'expected --tls-cert and --tls-key together, found --tls-key alone'],
  [{ listen: 'a:1', tlsKey: '/c', plainHttp: true }, {}, 'expected --plain-http or a certificate, found both'],
  [
    { listen: '10.0.0.1:1' },
    {},
    'expected --tls-cert and --tls-key with --listen 10.0.0.1:1, which others can reach; or',
  ],
  [
    {},
    { listen: '0.0.0.0:1' },
    'expected --tls-cert and --tls-key with SPAWN_LISTEN 0.0.0.0:1, which others can reach; or',
  ],
])('%j with %j is refused', (flags, defaults, message) => {
  expect(() => choose(flags, defaults)).toThrow(
    expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(`server start: ${message}`) }),
  );
});

test('an address from a setting is named by it', () => {
  expect(() => choose({}, { listen: 'nonsense' })).toThrow('SPAWN_LISTEN: expected HOST:PORT');
});
