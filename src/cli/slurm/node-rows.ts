import { freemem, hostname, loadavg } from 'node:os';
import type { ServerView, SessionView } from '../../api/server-view.ts';

/** What Slurm would call the state of a worker, without its flags. */
export type NodeBase = 'IDLE' | 'MIXED' | 'ALLOCATED' | 'DOWN';

/** A node of sinfo: a worker of the pool. */
export interface NodeRow {
  readonly name: string;
  readonly host: string;
  readonly base: NodeBase;
  readonly draining: boolean;
  /** Its connection is open. */
  readonly responds: boolean;
  readonly cpus: number;
  readonly takenCpus: number;
  /** MiB. */
  readonly memory: number;
  readonly takenMemory: number;
  /** `gpu:2,fpga:1`; empty for none. */
  readonly gres: string;
  readonly takenGres: string;
  /** Of the machine; undefined of another one than this: nobody reports them. */
  readonly load: number | undefined;
  readonly freeMemory: number | undefined;
  readonly version: string | undefined;
  readonly openedAt: number;
}

const MIB = 1_048_576;

/** The workers by name, numbers in their order; of one that came back the connection that is open. */
export function nodeRows({ sessions }: Pick<ServerView, 'sessions'>): readonly NodeRow[] {
  const byName = new Map<string, SessionView>();
  for (const node of sessions) if (byName.get(node.worker)?.connected !== true) byName.set(node.worker, node);
  const nodes = [...byName.values()].toSorted((a, b) => compareNames(a.worker, b.worker));
  return nodes.map(nodeRow);
}

export function compareNames(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

function nodeRow(node: SessionView): NodeRow {
  const { resources, freeMemoryBytes = resources.memoryBytes, connected, draining, host } = node;
  const cpus = Math.floor(resources.cpus);
  const takenCpus = Math.min(cpus, Math.ceil(resources.cpus - node.freeCpus));
  const isHere = host === hostname();
  const amounts = { gpu: resources.gpus ?? 0, ...resources.named };
  const free: Readonly<Record<string, number>> = { gpu: node.freeGpus ?? resources.gpus ?? 0, ...node.freeNamed };
  const gres = Object.entries(amounts).filter(([, amount]) => amount > 0);
  return {
    name: node.worker,
    host,
    base: !connected ? 'DOWN' : takenCpus === 0 ? 'IDLE' : takenCpus < cpus ? 'MIXED' : 'ALLOCATED',
    draining,
    responds: connected,
    cpus,
    takenCpus,
    memory: Math.floor(resources.memoryBytes / MIB),
    takenMemory: Math.ceil((resources.memoryBytes - freeMemoryBytes) / MIB),
    gres: gres.map(([name, amount]) => `${name}:${Math.floor(amount)}`).join(','),
    takenGres: gres.map(([name, amount]) => `${name}:${Math.ceil(amount - (free[name] ?? amount))}`).join(','),
    load: isHere ? loadavg()[0]! : undefined,
    freeMemory: isHere ? Math.floor(freemem() / MIB) : undefined,
    version: node.version,
    openedAt: node.openedAt,
  };
}

const SHORT: Readonly<Record<NodeBase, string>> = { IDLE: 'idle', MIXED: 'mix', ALLOCATED: 'alloc', DOWN: 'down' };

/** `idle`, `mix`, `alloc`, `drng`, `drain`, `down*`. */
export function shortNodeState(node: NodeRow): string {
  return `${drainState(node, 'drain', 'drng') ?? SHORT[node.base]}${node.responds ? '' : '*'}`;
}

/** `idle`, `mixed`, `allocated`, `draining`, `drained`, `down*`. */
export function longNodeState(node: NodeRow): string {
  return `${drainState(node, 'drained', 'draining') ?? node.base.toLowerCase()}${node.responds ? '' : '*'}`;
}

function drainState({ draining, base }: NodeRow, drained: string, busy: string): string | undefined {
  if (!draining) return undefined;
  return base === 'MIXED' || base === 'ALLOCATED' ? busy : drained;
}

const ORDER: Readonly<Record<NodeBase, number>> = { DOWN: 1, IDLE: 2, ALLOCATED: 3, MIXED: 5 };
const DRAIN = 0x200;
const NO_RESPOND = 0x400;

/** By which Slurm sorts states. */
export function nodeStateNumber({ base, draining, responds }: NodeRow): number {
  return ORDER[base] + (draining ? DRAIN : 0) + (responds ? 0 : NO_RESPOND);
}

/** CPUs as sinfo counts them: those of nodes that are down or drained and idle are neither taken nor free. */
export function cpuCounts(nodes: readonly NodeRow[]): { taken: number; idle: number; other: number; all: number } {
  const counts = { taken: 0, idle: 0, other: 0, all: 0 };
  for (const { cpus, takenCpus, base, draining } of nodes) {
    const away = base === 'DOWN' || draining;
    counts.taken += takenCpus;
    counts.all += cpus;
    counts[away ? 'other' : 'idle'] += cpus - takenCpus;
  }
  return counts;
}

/** Nodes as sinfo counts them: at work, idle, neither. */
export function nodeCounts(nodes: readonly NodeRow[]): { taken: number; idle: number; other: number; all: number } {
  const counts = { taken: 0, idle: 0, other: 0, all: nodes.length };
  for (const { base, draining } of nodes) {
    if (base === 'DOWN') counts.other += 1;
    else if (base !== 'IDLE') counts.taken += 1;
    else if (draining) counts.other += 1;
    else counts.idle += 1;
  }
  return counts;
}
