import { PARTITION } from '../../api/slurm-names.ts';
import { SLURM_VERSION } from './dialect-help.ts';
import { reasonOf } from './node-fields.ts';
import type { NodeRow } from './node-rows.ts';
import { type Data, listPieces, listText } from './openapi-text.ts';

/** `sinfo --json`, with the keys of Slurm 22.05's; what nobody knows is null, 0 or empty. */
export function nodesText(nodes: readonly NodeRow[]): string {
  return `${[...listPieces(listText('json', 'nodes'), nodes.map(nodeData))].join('')}\n`;
}

function nodeData(node: NodeRow): Data {
  const { cpus, takenCpus, memory, takenMemory, base, draining, responds } = node;
  const reason = reasonOf(node);
  const taken = [...(takenCpus > 0 ? [`cpu=${takenCpus}`] : []), ...(takenMemory > 0 ? [`mem=${takenMemory}M`] : [])];
  return {
    architecture: node.load === undefined ? '' : (ARCHITECTURES[process.arch] ?? process.arch),
    burstbuffer_network_address: '',
    boards: 1,
    boot_time: 0,
    comment: '',
    cores: 1,
    cpu_binding: 0,
    cpu_load: node.load === undefined ? null : Math.round(node.load * 100),
    extra: '',
    free_memory: node.freeMemory ?? null,
    cpus,
    last_busy: 0,
    features: '',
    active_features: '',
    gres: node.gres,
    gres_drained: 'N/A',
    gres_used: node.takenGres,
    mcs_label: '',
    name: node.name,
    next_state_after_reboot: 'invalid',
    address: node.host,
    hostname: node.host,
    state: base.toLowerCase(),
    state_flags: [...(draining ? ['DRAIN'] : []), ...(responds ? [] : ['NOT_RESPONDING'])],
    next_state_after_reboot_flags: [],
    operating_system: '',
    owner: null,
    partitions: [PARTITION],
    port: 0,
    real_memory: memory,
    reason: reason === 'none' ? '' : reason,
    reason_changed_at: 0,
    reason_set_by_user: null,
    slurmd_start_time: Math.floor(node.openedAt / 1_000),
    sockets: cpus,
    threads: 1,
    temporary_disk: 0,
    weight: 1,
    tres: `cpu=${cpus},mem=${memory}M,billing=${cpus}`,
    slurmd_version: SLURM_VERSION,
    alloc_memory: takenMemory,
    alloc_cpus: takenCpus,
    idle_cpus: cpus - takenCpus,
    tres_used: taken.length === 0 ? null : taken.join(','),
    tres_weighted: { float: takenCpus },
  };
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };
