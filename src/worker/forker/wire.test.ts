import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CommandMessage, readCommand, writeCommand, writeRun } from './commands.ts';
import {
  readEnded,
  readReady,
  readRefused,
  readSpawnFailed,
  writeEnded,
  writeReady,
  writeRefused,
  writeSpawnFailed,
} from './events.ts';
import {
  CAUSES,
  Capability,
  Command,
  Event,
  MAX_FRAME_BYTES,
  PROTOCOL_VERSION,
  REFUSALS,
  STEPS,
  UMASK_INHERIT,
} from './protocol.ts';
import type { TaskEnded } from './types.ts';
import { FrameReader, FrameSplitter, FrameWriter, ProtocolError } from './wire.ts';

const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const u64 = fc.maxSafeNat();
const text = fc.string({ unit: 'grapheme', maxLength: 30 });
const texts = fc.array(text, { maxLength: 5 });

const commands: fc.Arbitrary<CommandMessage> = fc.oneof(
  fc.record({ type: fc.constant(Command.ENV), envId: u32, env: texts }),
  fc.record({ type: fc.constant(Command.DROP_ENV), envId: u32 }),
  fc.record({ type: fc.constant(Command.LOGS), maxSegmentBytes: u64, logDir: text, sessionTag: text }),
  fc.record({ type: fc.constant(Command.FORGET_JOB), jobId: u32 }),
  fc.record({
    type: fc.constant(Command.RUN),
    fence: u64,
    jobId: u32,
    position: u32,
    attempt: u32,
    envId: u32,
    queueId: u32,
    queueWidth: u32,
    timeLimitMs: u64,
    graceMs: u32,
    logCapBytes: u64,
    umask: u32,
    cpuMilli: u32,
    memoryBytes: u64,
    warning: fc.record({ signal: fc.nat(64), beforeMs: u64, mainOnly: fc.boolean() }),
    append: fc.boolean(),
    cwd: text,
    stdin: text,
    outputPath: text,
    errorPath: text,
    argv: fc.array(text, { minLength: 1, maxLength: 5 }),
    env: texts,
  }),
  fc.record({ type: fc.constant(Command.KILL), fence: u64, cause: fc.constantFrom(...CAUSES), graceMs: u32 }),
  fc.record({ type: fc.constant(Command.SIGNAL), fence: u64, signal: fc.nat(127), mainOnly: fc.boolean() }),
  fc.record({ type: fc.constant(Command.LIMIT), fence: u64, timeLimitMs: u64 }),
  fc.record({ type: fc.constant(Command.SUSPEND), fence: u64, on: fc.boolean() }),
  fc.record({
    type: fc.constant(Command.LEASE),
    ms: u64,
    clock: fc.constantFrom('boottime' as const, 'monotonic' as const),
    graceMs: u32,
    sentAtUs: u64,
  }),
  fc.record({ type: fc.constant(Command.QUIT) }),
);

function write(to: FrameWriter, command: CommandMessage): boolean {
  if (command.type !== Command.RUN) return writeCommand(to, command);
  const { queueId, queueWidth, ...run } = command;
  return writeRun(to, { ...run, queue: { id: queueId, width: queueWidth } });
}

/** Cuts bytes into pieces of the given sizes, over and over. */
function* pieces(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

describe('frames', () => {
  test('every command comes back as it was sent, in whatever pieces', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(commands), sizes, (sent, sizes) => {
        const writer = new FrameWriter();
        for (const command of sent) expect(write(writer, command)).toBe(true);
        const got: CommandMessage[] = [];
        const splitter = new FrameSplitter((type, payload) => got.push(readCommand(type, payload)));
        for (const piece of pieces(writer.take(), sizes)) splitter.push(piece);
        expect(got).toEqual(sent);
        expect(writer.isEmpty).toBe(true);
      }),
    );
  });

  test('a run that leaves everything out has the defaults', () => {
    const writer = new FrameWriter();
    writeRun(writer, {
      fence: 1,
      jobId: 2,
      position: 3,
      attempt: 4,
      envId: 5,
      argv: ['x'],
      cwd: '/',
      graceMs: 6,
      logCapBytes: 7,
    });
    const bytes = writer.take();
    expect(readCommand(bytes[4]!, new FrameReader(bytes, 5))).toMatchObject({
      queueId: 0,
      timeLimitMs: 0,
      umask: UMASK_INHERIT,
      cpuMilli: 0,
      memoryBytes: 0,
      warning: { signal: 0 },
      append: false,
      stdin: '',
      outputPath: '',
      errorPath: '',
      env: [],
    });
  });

  test('one that is too long is not sent, and what was before it is', () => {
    const writer = new FrameWriter();
    writeCommand(writer, { type: Command.QUIT });
    expect(writeCommand(writer, { type: Command.ENV, envId: 1, env: ['x'.repeat(MAX_FRAME_BYTES)] })).toBe(false);
    writeCommand(writer, { type: Command.DROP_ENV, envId: 1 });
    const types: number[] = [];
    new FrameSplitter((type) => types.push(type)).push(writer.take());
    expect(types).toEqual([Command.QUIT, Command.DROP_ENV]);
  });

  test('a payload that ends early, is too long, or holds unknown codes is an error', () => {
    fc.assert(
      fc.property(commands, fc.nat(), (command, at) => {
        const writer = new FrameWriter();
        write(writer, command);
        const bytes = writer.take();
        const read = (end: Buffer) => readCommand(bytes[4]!, new FrameReader(end, 5));
        expect(() => read(Buffer.concat([bytes, Buffer.of(0)]))).toThrow(ProtocolError);
        const cut = 5 + (at % Math.max(1, bytes.length - 5));
        if (cut < bytes.length) expect(() => read(bytes.subarray(0, cut))).toThrow(ProtocolError);
      }),
    );
    expect(() => readCommand(99, new FrameReader(Buffer.alloc(0)))).toThrow(ProtocolError);
    expect(() => new FrameReader(Buffer.alloc(8, 255)).u64()).toThrow(ProtocolError);
    expect(() => new FrameReader(Buffer.of(9, 0, 0, 0)).list()).toThrow(ProtocolError);
    for (const length of [0, MAX_FRAME_BYTES + 1]) {
      const header = Buffer.alloc(4);
      header.writeUInt32LE(length);
      expect(() => new FrameSplitter(() => {}).push(header)).toThrow(ProtocolError);
    }
  });
});

describe('events', () => {
  const reader = (writer: FrameWriter) => {
    const bytes = writer.take();
    return { type: bytes[4], from: new FrameReader(bytes, 5) };
  };

  test('ready', () => {
    const writer = new FrameWriter();
    writeReady(writer, 'node', 5 | 16 | 64, 123);
    expect(readReady(reader(writer).from)).toEqual({
      version: PROTOCOL_VERSION,
      kind: 'node',
      pid: 123,
      capabilities: {
        subreaper: true,
        pdeathsig: false,
        boottime: true,
        exactUsage: false,
        affinity: true,
        memory: 'sampled',
      },
    });
    writeReady(writer, 'native', Capability.MEMORY_CGROUP, 1);
    expect(readReady(reader(writer).from).capabilities).toMatchObject({ affinity: false, memory: 'cgroup' });
    writeReady(writer, 'native', 0, 1);
    expect(readReady(reader(writer).from).capabilities.memory).toBe('none');
  });

  test('ended', () => {
    const position = fc.record({ segment: u32, offset: u64 });
    const end = fc.oneof(
      fc.record({ kind: fc.constant('exited' as const), code: fc.nat(255) }),
      fc.record({ kind: fc.constant('signalled' as const), signal: fc.nat(64), core: fc.boolean() }),
    );
    const ended: fc.Arbitrary<TaskEnded> = fc.record({
      fence: u64,
      pid: u32,
      end,
      cause: fc.constantFrom(...CAUSES),
      wallUs: u64,
      userUs: u64,
      systemUs: u64,
      maxRssKb: u64,
      exactUsage: fc.boolean(),
      logStart: position,
      logEnd: position,
      keptStdoutBytes: u64,
      keptStderrBytes: u64,
      droppedBytes: u64,
      lostBytes: u64,
      copyLostBytes: u64,
    });
    fc.assert(
      fc.property(ended, (event) => {
        const writer = new FrameWriter();
        writeEnded(writer, event);
        const { type, from } = reader(writer);
        expect(type).toBe(Event.ENDED);
        expect(readEnded(from)).toEqual(event);
        from.done();
      }),
    );
  });

  test('every reason has its code, and code 0 is none', () => {
    const writer = new FrameWriter();
    for (const step of STEPS.slice(1) as Exclude<(typeof STEPS)[number], ''>[]) {
      writeSpawnFailed(writer, { fence: 1, step, errno: 2 });
      expect(readSpawnFailed(reader(writer).from)).toEqual({ fence: 1, step, errno: 2 });
    }
    for (const reason of REFUSALS.slice(1) as Exclude<(typeof REFUSALS)[number], ''>[]) {
      writeRefused(writer, { fence: 1, reason });
      expect(readRefused(reader(writer).from)).toEqual({ fence: 1, reason });
    }
    expect(() => readRefused(new FrameReader(Buffer.alloc(9)))).toThrow(ProtocolError);
  });
});
