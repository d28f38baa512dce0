import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { SpawnError } from '../../core/errors.ts';
import type { ProcessIdentity } from './instance-records.ts';
import { instanceProgram } from './sandbox-programs.ts';

/** Of what was said: longer than any line (start.c). */
const KEPT_CHARS = 8_192;
/** What comes behind the directory of instances in the words that `ps` shows of an instance: /i- and 17 digits. */
const NAME_CHARS = 64;

/** It gives each sandbox 30 s. One that answers nothing for so long, while it was asked, stands still. */
const MOST_SILENT_MS = 45_000;
const LEAVE_WITHIN_MS = 2_000;
/** From its end until what it said last has arrived. */
const LAST_WORDS_MS = 500;

/** What the launcher could not do, with words for people. */
export interface LaunchFailure {
  /**
   * Of native/instance; `withdrawn`: the start was called off meanwhile; `launcher`: the launcher itself has ended, and nobody knows how far it
   * came.
   */
  readonly step: string;
  readonly why: string;
}

/** The first process of the sandbox that is up, or why none is. */
export type Launched = { readonly init: ProcessIdentity } | { readonly failure: LaunchFailure };

type Launcher = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * Starts sandboxes through one small process that forks for each of them: to fork this one is dear, and each of its pages that are written to
 * afterwards is copied. The process ends with this one; sandboxes do not.
 */
export class SandboxLauncher {
  readonly #program: string;
  readonly #titleChars: number;
  #child: Launcher | undefined;
  #lastNumber = 0;
  #silence: NodeJS.Timeout | undefined;
  readonly #waiting = new Map<number, (launched: Launched) => void>();

  /** @param programs where the native one is; @param instances where the directories of instances are */
  constructor(programs: string, instances: string) {
    this.#program = instanceProgram(programs);
    this.#titleChars = Buffer.byteLength(instances) + NAME_CHARS;
  }

  /**
   * Starts the sandbox that was prepared in a directory.
   *
   * @returns its first process, or what failed; nothing of it is left then
   * @throws SpawnError INTERNAL for a directory that cannot be asked for
   */
  launch(directory: string): Promise<Launched> {
    if (/[\n\0]/.test(directory))
      throw new SpawnError('INTERNAL', { why: `no directory of an instance: ${directory}` });
    return new Promise((resolve) => {
      this.#lastNumber += 1;
      this.#waiting.set(this.#lastNumber, resolve);
      this.#child ??= this.#start();
      if (this.#silence === undefined) this.#watch();
      this.#child.stdin?.write(`${this.#lastNumber}\t${directory}\n`);
    });
  }

  /** Resolves when the process has left. */
  async close(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const left = once(child, 'exit');
    const late = setTimeout(() => child.kill('SIGKILL'), LEAVE_WITHIN_MS);
    child.ref();
    child.stdin.end();
    await left;
    clearTimeout(late);
  }

  /** From its last word on, as long as somebody waits for the next. */
  #watch(): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
    if (this.#waiting.size === 0) return;
    this.#silence = setTimeout(() => this.#child?.kill('SIGKILL'), MOST_SILENT_MS).unref();
  }

  #start(): Launcher {
    const child = spawn(this.#program, ['serve', '-'.repeat(this.#titleChars)], {
      argv0: 'spawn-instance',
      cwd: '/',
      env: {},
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let said = '';
    let complained = '';
    let isOver = false;
    const ended = (how: string) => {
      if (isOver) return;
      isOver = true;
      if (this.#child === child) this.#child = undefined;
      this.#failAll(`the launcher ended with ${how}: ${complained.trim()}`);
    };
    child.once('error', (error) => ended(error.message));
    // With no file descriptor left there are no streams either.
    if (child.stdin === undefined) return child;
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      const lines = (said + piece).split('\n');
      said = lines.pop()!.slice(-KEPT_CHARS);
      for (const line of lines) this.#answer(line);
    });
    child.stderr.setEncoding('utf8').on('data', (piece: string) => {
      complained = (complained + piece).slice(-KEPT_CHARS);
    });
    // What it did not read is answered when it has ended.
    child.stdin.on('error', () => {});
    child.once('close', (code, signal) => ended(String(signal ?? code)));
    // One of those that it forked may hang, and has its output open.
    child.once('exit', () => {
      setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, LAST_WORDS_MS).unref();
    });
    // It does not keep the agent alive when that wants to end.
    child.unref();
    for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as unknown as { unref(): void }).unref();
    return child;
  }

  #answer(line: string): void {
    const [number, result, step = 'start', second = '', third] = line.split('\t');
    const waiting = this.#waiting.get(Number(number));
    this.#waiting.delete(Number(number));
    this.#watch();
    if (result === 'ready') waiting?.({ init: { pid: Number(step), startTicks: Number(second), bootId: third ?? '' } });
    else waiting?.({ failure: { step, why: third ?? line } });
  }

  #failAll(why: string): void {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#watch();
    for (const waiting of all) waiting({ failure: { step: 'launcher', why } });
  }
}
