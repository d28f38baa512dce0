import type { Machine } from '../../src/providers/provider.ts';
import { writeCommand, writeRun } from '../../src/worker/forker/commands.ts';
import { readEnded } from '../../src/worker/forker/events.ts';
import { Command, Event } from '../../src/worker/forker/protocol.ts';
import { FrameSplitter, FrameWriter } from '../../src/worker/forker/wire.ts';
import type { SandboxWorld } from './sandbox-world.ts';

/** All that a forker says from now on. */
export function collect(forker: { onData(listener: (bytes: Uint8Array) => void): void }): Buffer[] {
  const words: Buffer[] = [];
  forker.onData((bytes) => words.push(Buffer.from(bytes)));
  return words;
}

/** Exit codes by fence. */
export function ended(words: readonly Buffer[]): Map<number, number> {
  const codes = new Map<number, number>();
  const splitter = new FrameSplitter((type, from) => {
    if (type !== Event.ENDED) return;
    const { fence, end } = readEnded(from);
    codes.set(fence, end.kind === 'exited' ? end.code : -end.signal);
  });
  splitter.push(Buffer.concat(words));
  return codes;
}

/** Runs a program by the forker of a machine. */
export async function run(
  machine: Machine,
  world: SandboxWorld,
  fence: number,
  argv: readonly string[],
  outputPath = '',
): Promise<void> {
  const frames = new FrameWriter();
  const logDir = machine.inside(world.data);
  writeCommand(frames, { type: Command.LOGS, logDir, sessionTag: `s${fence}`, maxSegmentBytes: 1 << 20 });
  writeCommand(frames, { type: Command.ENV, envId: 1, env: ['PATH=/usr/bin:/bin'] });
  writeRun(frames, {
    fence,
    jobId: 1,
    position: 0,
    attempt: 1,
    envId: 1,
    argv,
    outputPath,
    append: true,
    cwd: '/',
    graceMs: 1000,
    logCapBytes: 1 << 20,
  });
  (await machine.forker()).send(Uint8Array.from(frames.take()));
}
