// Submits as many users at once: CLIENTS clients, each with connections of its own and JOBS jobs, one after another. The connection of
// every tenth reply is cut before it is read. Prints `NAME ID` for each job.
import { SpawnClient } from '../../src/client/client.ts';
import { unixTransport } from '../../src/client/node/unix-transport.ts';
import { type Transport, TransportFailure } from '../../src/client/transport.ts';

const [socketPath = '', group = '', clients = '50', jobs = '25'] = process.argv.slice(2);
let replies = 0;

function cutting(transport: Transport): Transport {
  return {
    address: transport.address,
    close: () => transport.close(),
    async request(request) {
      const response = await transport.request(request);
      if (++replies % 10 !== 0) return response;
      // To leave a body unread destroys its connection.
      for await (const _ of response.body) break;
      throw new TransportFailure('broken', 'cut by the test');
    },
  };
}

async function submitAll(client: number): Promise<string[]> {
  const spawn = new SpawnClient({ transport: cutting(unixTransport(socketPath)), retryForMs: 60_000 });
  const lines: string[] = [];
  for (let number = 0; number < Number(jobs); number++) {
    const name = `s-${group}-${client}-${number}`;
    const spec = { name, hold: true, cwd: '/', run: { kind: 'argv' as const, argv: ['true'] } };
    const { job } = await spawn.submit({ spec, idempotencyKey: name });
    lines.push(`${name} ${job.id}`);
  }
  spawn.close();
  return lines;
}

const all = await Promise.all(Array.from({ length: Number(clients) }, (_, client) => submitAll(client)));
console.log(all.flat().join('\n'));
