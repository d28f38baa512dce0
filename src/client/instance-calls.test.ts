import { expect, test } from 'vitest';
import type { InstanceVerb, InstanceVerbRequest } from '../api/instance.ts';
import { SpawnClient } from './client.ts';
import { TransportFailure } from './transport.ts';

/** A link that breaks after each first request, when it may have been carried out. */
function breaking(): { client: SpawnClient; sent: () => number } {
  let sent = 0;
  const client = new SpawnClient({
    transport: {
      address: '/s',
      async request() {
        if (++sent === 1) throw new TransportFailure('broken', 'the connection broke');
        return { status: 200, header: () => undefined, body: bytes('{"members":[]}') };
      },
      close() {},
    },
  });
  return { client, sent: () => sent };
}

async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

const target = { instance: 'compute-0' };

test.each<[InstanceVerb, Omit<InstanceVerbRequest, 'target'>]>([
  ['stop', {}],
  ['hibernate', {}],
  ['start', {}],
  ['terminate', {}],
  ['extend', { ttlMs: 1_000 }],
])('%s %j is sent again when the link breaks', async (verb, request) => {
  const { client, sent } = breaking();
  await client.instanceVerb(verb, { target, ...request });
  expect(sent()).toBe(2);
});

test.each<[InstanceVerb, Omit<InstanceVerbRequest, 'target'>]>([
  ['extend', { byMs: 1_000 }],
  ['interrupt', {}],
  ['replace', {}],
])('%s %j is not', async (verb, request) => {
  const { client, sent } = breaking();
  await expect(client.instanceVerb(verb, { target, ...request })).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' });
  expect(sent()).toBe(1);
});

test('resize and setBudget are sent again: they say how it shall be', async () => {
  const [one, two] = [breaking(), breaking()];
  await one.client.resize('compute', 3);
  await two.client.setBudget({ amount: 5 });
  expect([one.sent(), two.sent()]).toEqual([2, 2]);
});
