import type { MachineOrder } from '../api/instance-session.ts';

/** Where the agent of one worker session runs, as it said at hello. */
export interface SessionPlace {
  /** The id under which a provider started it; absent for an agent that somebody started by hand. */
  readonly instance?: string;
  readonly pid: number;
  readonly host: string;
  readonly bootId: string;
}

/**
 * How an agent is asked to end.
 * - `drain`: it takes no more, and ends when what runs has ended, or has had the agent's own grace
 * - `end`: what runs gets TERM, then KILL after its grace, and is ready again
 * - `kill`: at once; nothing is reported
 */
export type StopHow = 'drain' | 'end' | 'kill';

/**
 * Starts and stops instances: machines, or a part of one, that one agent (`spored`) serves. The agent alone reports how
 * tasks go. A provider tells one fact of an instance: that it is gone.
 */
export interface Provider {
  /** `local`, `ec2`, …: every instance of it has an id that begins with this and a hyphen. */
  readonly name: string;
  /** Starts an instance under an id that was never used before. Resolves when it is under way; its agent says hello later. */
  start(id: string): Promise<void>;
  /** Ids of the instances that live, or that may: those under way too. */
  list(): Promise<readonly string[]>;
  /** Asks an instance to end. Resolves when it was asked; does nothing when it is gone. */
  stop(id: string, how: StopHow): Promise<void>;
  /**
   * True only if nothing of this session can run any more, ever: neither its agent nor a task. False whenever there is
   * doubt, and for a place that is not of this provider: the lease then decides.
   */
  isGone(place: SessionPlace): Promise<boolean>;
}

/** What a provider knows of one machine, whoever started it. */
export interface MachineFact {
  readonly id: string;
  /**
   * - `starting`: under way, or it may be
   * - `up`: something of it can run
   * - `down`: nothing of it runs, its disk is kept and it can be started again
   * - `gone`: nothing of it runs, and nothing is left
   */
  readonly state: 'starting' | 'up' | 'down' | 'gone';
}

/** How an instance ends or rests, when its agent does not do it by itself. */
export type HaltHow = 'stop' | 'terminate';

/**
 * Starts and ends the machines of instance arrays. All of its methods may be called again for what was done already. The agent of an
 * instance stops, freezes and ends it when it is told so; the provider does so only where no agent answers.
 */
export interface InstanceProvider {
  /** `local`, `ec2`, …; kept with each instance. */
  readonly name: string;
  /**
   * Starts a machine for the order, with the disk it had if it was down; resolves when it is under way: its agent says hello later.
   *
   * @throws SpawnError LAUNCH_FAILED when it cannot be started, with why
   */
  launch(order: MachineOrder): Promise<void>;
  /** Facts of these machines; one that it never heard of is `gone`. */
  describe(ids: readonly string[]): Promise<readonly MachineFact[]>;
  /** Ends it, with all that runs there, whether or not an agent lives; `terminate` also removes its disk. */
  halt(id: string, how: HaltHow): Promise<void>;
  /** Ids of all machines that are not gone: what the coordinator does not know is ended by the reaper. */
  list(): Promise<readonly string[]>;
  /** The address that instance number `slot` of a zone gets (0 is the first). Undefined where the provider tells it only later. */
  addressOf(region: string, zone: string, slot: number): string | undefined;
  /** Zones of a region, by name. Any label is a region here, unless the provider has a list: then an unknown one is BAD_REQUEST. */
  zonesOf(region: string): readonly string[];
  /** CPUs and memory of what all instances share; undefined where each has its own. */
  capacity(): { readonly vcpus: number; readonly memoryBytes: number } | undefined;
}

/** What an instance did since it started; counters that only grow, over all its processes, also those that ended. */
export interface MachineActivity {
  readonly cpuUs: number;
  /** Read from and written to disks. */
  readonly diskBytes: number;
  /** Undefined where this machine has no counters of its own. */
  readonly networkBytes: number | undefined;
  /** Logins through `spawn connect` that are open now, and how long ago the last one had input or output. */
  readonly logins: number;
  readonly memoryBytes: number;
  readonly processes: number;
}

/** What the in-instance `spored` command asks of the agent, one JSON object each; see docs/instances.md. */
export interface InsideRequest {
  readonly command: 'complete' | 'status' | 'reload' | 'config-get' | 'config-set' | 'config-list';
  readonly [field: string]: unknown;
}
export type InsideReply =
  | { readonly ok: true; readonly [field: string]: unknown }
  | { readonly ok: false; readonly error: string };

/** Where an instance finds what is its own, as seen from inside. */
export interface MachinePlaces {
  /** The programs `spored` and `ssh`. */
  readonly bin: string;
  /** Files about it and its array. */
  readonly etc: string;
  /** Sockets. */
  readonly run: string;
  readonly log: string;
  readonly tmp: string;
  /** They are where every machine has them. Else variables say where they are, and names of members resolve nowhere. */
  readonly isOwn: boolean;
}

/** An instance as its agent sees it: the machine it is on, or one of the sandboxes that it serves. */
export interface Machine {
  readonly order: MachineOrder;
  readonly places: MachinePlaces;
  /** What the agent keeps of it over restarts of itself and of the machine: JSON in one line. */
  readonly memory: { read(): Promise<string | undefined>; write(text: string): Promise<void> };
  /**
   * Where a directory of the agent is seen from inside. Which ones are visible there is settled when the machine is started.
   *
   * @throws SpawnError INTERNAL for one that is not
   */
  inside(directory: string): string;
  /** The forker that runs in it; the same one each time. */
  forker(): Promise<ForkerChannel>;
  /** True when the machine was running before this agent took it over. */
  readonly adopted: boolean;
  /** Tells this start of the machine from every other one. */
  readonly startId: string;
  /** Writes files below /etc/spawn, each one whole at once; null removes one. */
  write(files: Readonly<Record<string, string | SharedFile | null>>): Promise<void>;
  /**
   * The machine itself ends everything so long from now, with or without an agent; undefined: never.
   *
   * @param graceMs from TERM to KILL then, when that is less than the machine's own 10 s
   */
  setDeadline(inMs: number | undefined, graceMs?: number): Promise<void>;
  activity(): Promise<MachineActivity>;
  /** Runs a shell command in it, with its environment, as root of it; output goes to its log. */
  run(command: string, timeoutMs: number): Promise<{ readonly code: number | null; readonly output: string }>;
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** TERM to all that runs in it, KILL after the grace; keeps its disk. Resolves when nothing of it runs. */
  stop(graceMs: number): Promise<void>;
  /** As stop, and removes its disk. */
  terminate(graceMs: number): Promise<void>;
  /** The agent lets go of it; it runs on. */
  release(): void;
  /** Answers the `spored` command inside. */
  onInside(answer: (request: InsideRequest) => Promise<InsideReply>): void;
  /** Nothing of it runs any more, and nobody here asked for that. */
  onGone(listener: (why: string) => void): void;
}

/** The same text for many instances: written once by whoever can share it. */
export interface SharedFile {
  /** Equal keys mean equal texts. */
  readonly key: string;
  /**
   * Of a text that belongs to a whole array and changes: a newer one takes the place of an older one in all members that have it, whichever of
   * them is written first. Absent: the text stays as it is.
   */
  readonly version?: number;
  text(): string;
}

/** The pipe to the forker (docs/decisions/0003) in a machine. It and all it started outlive the agent. */
export interface ForkerChannel {
  /**
   * Everything it ever said is given again, from its first byte: an agent that came later learns what it started and what ended.
   *
   * @param onMemoryKill told at the place at which processes had been killed: together they used more memory than the machine has
   */
  onData(listener: (bytes: Uint8Array) => void, onMemoryKill?: () => void): void;
  /** It is gone, and with it the machine. Not told when another agent has taken the machine over. */
  onClose(listener: () => void): void;
  send(bytes: Uint8Array): void;
  /** In the machine. */
  readonly pid: number;
}

/** Where an agent finds the instances that it serves. */
export interface MachineHost {
  /** Those that shall run or run: starts what is not up, takes over what is. Calls for each as it comes up, now and later. */
  serve(handlers: {
    readonly onUp: (machine: Machine) => void;
    readonly onFailed: (order: MachineOrder, why: string) => void;
    /** Another agent that lives has taken it: the two would take all of them from each other, again and again. */
    readonly onTaken: (order: MachineOrder) => void;
  }): Promise<void>;
  close(): Promise<void>;
}
