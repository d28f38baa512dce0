import { readCommand } from '../commands.ts';
import { EXIT_PROTOCOL } from '../protocol.ts';
import { FrameSplitter, ProtocolError } from '../wire.ts';
import { FallbackForker } from './fallback-forker.ts';

/** Serves the protocol on stdin and stdout until the input ends. */
export function runFallback(): void {
  const { stdin, stdout } = process;
  const forker = new FallbackForker({
    write: (bytes) => void stdout.write(bytes),
    get waitingBytes() {
      return stdout.writableLength;
    },
    finish: () => stdout.write('', () => process.exit()),
  });
  const splitter = new FrameSplitter((type, payload) => forker.execute(readCommand(type, payload)));
  // A worker that is gone does not read any more.
  stdout.on('error', () => stop());
  stdin.on('data', (chunk: Buffer) => {
    try {
      splitter.push(chunk);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      process.stderr.write(`forker: malformed frame: ${error.message}\n`);
      process.exitCode = EXIT_PROTOCOL;
      stop();
    }
  });
  stdin.on('end', () => stop());
  stdin.on('error', () => stop());
  process.on('SIGTERM', () => stop());

  let stopped = false;
  function stop(): void {
    if (stopped) return;
    stopped = true;
    stdin.removeAllListeners('data').resume();
    forker.stop();
  }
}
