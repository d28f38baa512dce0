import type { ServerView } from '../api/server-view.ts';
import type { Client } from './client.ts';

/** Where a command's words go. */
export interface Sink {
  readonly isTTY: boolean;
  /** Columns of the terminal; 80 when it does not say. */
  readonly columns: number;
  /** Lines of the terminal; 24 when it does not say. */
  readonly rows: number;
  /** Whether colours are wanted. */
  readonly colour: boolean;
  write(data: string | Uint8Array): void;
}

export interface Source {
  readonly isTTY: boolean;
  /** All that comes, or undefined as soon as it is more than `limit` bytes. */
  read(limit: number): Promise<Uint8Array | undefined>;
  /** Line by line as they come, without what ends them. @param prompt asks for each line at a terminal */
  lines(prompt: string): AsyncIterable<string>;
}

/** All that a command knows of the outside, so that tests can give it another one. */
export interface World {
  /** With what the settings file adds to it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** As it was given to this command. */
  readonly ownEnv: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly umask: number;
  /** Name of the user, or the number where there is none. */
  userName(): string;
  readonly stdin: Source;
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Asks the person at the terminal; what was typed, without its newline. */
  ask(question: string): Promise<string>;
  /** Epoch ms of this machine: for what is shown to a person only. */
  now(): number;
  /** Calls `tick` every `ms`; returns how to stop. */
  every(ms: number, tick: () => void): () => void;
  /** Resolves after `ms`, or as soon as `signal` says so. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
  /**
   * The client of the coordinator, the same each time. Its first call starts a coordinator where there is none, and says so on standard error.
   * @param silent says nothing: for commands whose words programs read
   */
  connect(silent?: boolean): Promise<Client>;
  /** A client of the coordinator if one runs; starts none, and makes no directory. */
  connectIfRunning(): Promise<Client | undefined>;
  /** The embedded coordinator itself. */
  server(): Promise<ServerControl>;
  /** Runs something in an instance of this machine, on the streams of this process; gives its exit code. */
  enter(what: Entering): Promise<number>;
  /** Calls `listener` with the exit code of the signal when the person stops the command; returns how to stop listening. */
  onInterrupt(listener: (exitCode: number) => void): () => void;
  /** Lets go of what would keep the process alive. */
  close(): Promise<void>;
}

/** What runs in an instance. */
export interface Entering {
  readonly id: string;
  /** Nothing: the login shell of the user. */
  readonly argv: readonly string[];
  /** On a terminal of its own, joined to that of this process. */
  readonly terminal: boolean;
  /** Counts as a login: an instance that has one is not idle. */
  readonly login: boolean;
}

/** What a command line says of the network; paths are absolute. */
export interface ListenFlags {
  readonly listen: string | undefined;
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  readonly plainHttp: boolean;
}

/** Controls the embedded coordinator of these settings. */
export interface ServerControl {
  /** What was started, or runs already. What `flags` do not say is taken from the settings. */
  start(flags: ListenFlags): Promise<{ started: boolean; server: ServerView }>;
  /** Serves until it is stopped; returns the exit code. */
  serveHere(flags: ListenFlags): Promise<number>;
  /** Whether there was one to stop. */
  stop(): Promise<boolean>;
  /** Undefined when none runs. Starts nothing. */
  status(): Promise<ServerView | undefined>;
}
