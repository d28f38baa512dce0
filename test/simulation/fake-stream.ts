import type { Chance } from './chance.ts';
import { CALLER, type Life } from './network.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface StreamEnds {
  sessionId: number;
  after: number;
  arrived(line: string): void;
  broken(): void;
}

/** One connection for a session's stream: lines take their time but keep their order. Gives how to close it. */
export function openStream(
  server: Life,
  clock: VirtualClock,
  chance: Chance,
  delayMs: number,
  ends: StreamEnds,
): () => void {
  let open = true;
  let lastArrival = 0;
  const broken = () => {
    if (!open) return;
    open = false;
    server.pending.delete(broken);
    ends.broken();
  };
  const write = (line: string) => {
    lastArrival = Math.max(lastArrival, clock.elapsed + 1 + chance.below(delayMs));
    clock.timer(lastArrival - clock.elapsed, () => {
      if (open) ends.arrived(line);
    });
  };
  const detach = server.coordinator.stream(CALLER, ends.sessionId, ends.after, { write, close: broken });
  server.pending.add(broken);
  return () => {
    open = false;
    server.pending.delete(broken);
    if (server.alive) detach();
  };
}
