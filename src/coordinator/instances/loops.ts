import type { Ledger } from '../ledger.ts';
import { every } from '../loops/every.ts';
import type { Sessions } from '../sessions.ts';
import { followBudgets } from './budgets.ts';
import { InstanceEffects } from './effects.ts';
import { InstanceReaper } from './reaper.ts';
import { InstanceWatch } from './watch-over.ts';

const REAP_EVERY_MS = 30_000;

/** Starts what happens to instances by time, and after commits. Returns how to stop. */
export function startInstances(ledger: Ledger, sessions: Sessions, failed: (error: unknown) => void): () => void {
  const { clock, instances } = ledger.ports;
  if (instances === undefined) return () => {};
  const effects = new InstanceEffects(ledger, failed);
  effects.lose = (sessionId, reason) => sessions.lose(sessionId, reason);
  const watch = new InstanceWatch(ledger, effects, failed);
  const reaper = new InstanceReaper(ledger, failed);
  ledger.committed = () => effects.committed();
  sessions.onDisconnected((sessionId) => {
    const bound = ledger.memory.sessions.get(sessionId)?.bound;
    const row = bound === undefined ? undefined : ledger.memory.instances.rows.get(bound.instance);
    if (row !== undefined && row.endedAt === 0) ledger.memory.instances.attention.add(row);
  });
  const stops = [
    every(clock, 1_000, () => watch.runOnce(), failed),
    every(clock, 1_000, () => followBudgets(ledger), failed),
    every(clock, REAP_EVERY_MS, () => reaper.runOnce(), failed),
  ];
  ledger.poke();
  return () => {
    for (const stop of stops) stop();
    ledger.committed = () => {};
    ledger.memory.instances.close();
  };
}
