import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { ForkerLink } from './link.ts';
import { chooseForkerKind, type ForkerProgram, forkerProgram } from './programs.ts';
import type { Forker, ForkerCallbacks, ForkerOptions } from './types.ts';

const STDERR_CHARS = 4096;
/** A forker kills everything within 5 s of the end of its input; one that does not is killed itself. */
const CLOSE_WITHIN_MS = 10_000;

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** A link to a forker that is a child of this process. */
function linkTo(child: Child, callbacks: ForkerCallbacks): ForkerLink {
  let stderr = '';
  const exited = Promise.withResolvers<void>();
  const link = new ForkerLink(
    {
      send(bytes) {
        if (child.stdin.writable) child.stdin.write(bytes);
      },
      kill(why) {
        stderr += why;
        child.stdout.removeAllListeners('data').resume();
        child.kill('SIGKILL');
      },
      async close() {
        child.stdin.end();
        const late = setTimeout(() => child.kill('SIGKILL'), CLOSE_WITHIN_MS);
        await exited.promise;
        clearTimeout(late);
      },
    },
    callbacks,
  );
  const leave = (code: number | null, signal: string | null) => {
    link.left({ code, signal, stderr });
    exited.resolve();
  };
  child.stdout.on('data', (chunk: Buffer) => link.push(chunk));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_CHARS);
  });
  // Its exit follows and says more than EPIPE.
  child.stdin.on('error', () => {});
  child.on('error', (error) => {
    stderr += error.message;
    if (child.pid === undefined) leave(null, null);
  });
  child.on('close', leave);
  return link;
}

/**
 * Starts a forker in its own session, so that no terminal reaches it or its tasks.
 * @param options.program instead of the one for the kind
 * @throws SpawnError INTERNAL when it cannot be started
 */
export async function startForker(options: ForkerOptions & { readonly program?: ForkerProgram }): Promise<Forker> {
  const { command, args } = options.program ?? forkerProgram(chooseForkerKind(options.kind));
  // Its tasks get their environments by ENV; its own is empty, so that nothing of the worker's leaks into them.
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true, env: {}, cwd: '/' });
  const forker = linkTo(child, options.callbacks);
  await forker.readied;
  forker.openLogs(options.logDir, options.sessionTag, options.maxSegmentBytes);
  return forker;
}
