import { closeSync, readdirSync, readFileSync } from 'node:fs';
import { readCommand } from '../commands.ts';
import { EXIT_PROTOCOL } from '../protocol.ts';
import { FrameSplitter, ProtocolError } from '../wire.ts';
import { FallbackForker } from './fallback-forker.ts';

/** Node marks its own files close-on-exec; what it was started with open would go on into every task. */
function closeInherited(): void {
  const closeOnExec = 0o2000000;
  let names: string[] = [];
  try {
    names = readdirSync('/proc/self/fdinfo');
  } catch {
    // No /proc: nothing to be known.
  }
  for (const name of names.filter((fd) => Number(fd) > 2)) {
    try {
      const flags = /^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${name}`, 'latin1'));
      if (flags !== null && (Number.parseInt(flags[1]!, 8) & closeOnExec) === 0) closeSync(Number(name));
    } catch {
      // The one the listing itself used.
    }
  }
}

/** Serves the protocol on stdin and stdout until the input ends. */
export function runFallback(): void {
  const { stdin, stdout } = process;
  closeInherited();
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
