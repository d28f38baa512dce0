import type { SessionView } from '../api/server-view.ts';
import { WHOLE_DEVICE } from '../core/gpu-shares.ts';
import { countGrants } from './exchange.ts';
import type { SessionEntry } from './memory.ts';
import type { SessionDetail } from './restore.ts';

/** A worker of the pool, as it is listed. */
export function viewSession({ session, row }: SessionEntry): SessionView {
  const { version } = JSON.parse(row.detail) as SessionDetail;
  const { room } = session;
  const { cpus, memoryBytes, gpus, named, slots } = room.offer;
  return {
    id: session.id,
    worker: session.worker,
    host: row.host,
    pid: row.pid,
    resources: {
      cpus,
      memoryBytes,
      ...(gpus === undefined ? {} : { gpus }),
      ...(named === undefined ? {} : { named }),
      ...(slots === undefined ? {} : { slots }),
    },
    freeCpus: Math.max(0, room.cpus),
    freeMemoryBytes: Math.max(0, room.memoryBytes),
    ...(gpus === undefined ? {} : { freeGpus: room.gpus.free / WHOLE_DEVICE }),
    ...(named === undefined ? {} : { freeNamed: room.named }),
    version,
    api: session.api,
    ...countGrants(session),
    connected: session.connected,
    draining: session.draining,
    openedAt: row.openedAt,
  };
}
