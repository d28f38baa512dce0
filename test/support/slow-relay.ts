import { connect, createServer, type Socket } from 'node:net';
import { parseArgs } from 'node:util';

/**
 * A program that passes TCP connections on, as a far and bad line would: every byte comes `--delay` ms later, and now and then everything stops for
 * `--stall` ms, as when a packet is lost and sent again. Says `ready` when it listens on 127.0.0.1.
 */
const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    to: { type: 'string' },
    delay: { type: 'string' },
    stall: { type: 'string', default: '0' },
  },
});
const delayMs = Number(values.delay);
const stallMs = Number(values.stall);
const [host, port] = values.to!.split(':');

function pass(from: Socket, to: Socket): void {
  let dueMs = 0;
  let chunks = 0;
  const later = (act: () => void) => {
    chunks += 1;
    const stall = stallMs > 0 && chunks % 20 === 0 ? stallMs : 0;
    // In order: nothing overtakes what came before it.
    dueMs = Math.max(dueMs, performance.now() + delayMs + stall);
    setTimeout(act, dueMs - performance.now());
  };
  from.on('data', (bytes) => later(() => to.write(bytes)));
  from.on('end', () => later(() => to.end()));
  from.on('error', () => to.destroy());
  from.on('close', () => later(() => to.destroy()));
}

const server = createServer((near) => {
  const far = connect({ host: host!, port: Number(port) });
  pass(near, far);
  pass(far, near);
});
server.listen(Number(values.port), '127.0.0.1', () => process.stdout.write('ready\n'));
