import type { Ledger } from '../ledger.ts';
import { every } from '../loops/every.ts';
import { AlertSender } from './sender.ts';
import { forgetDeliveries, watchAlerts } from './watch.ts';

const SEND_EVERY_MS = 250;
const WATCH_EVERY_MS = 5_000;
const FORGET_EVERY_MS = 3_600_000;

/** What happens by time so that people are told. */
export interface AlertLoops {
  readonly sender: AlertSender;
  stop(): Promise<void>;
}

export function startAlerts(ledger: Ledger, failed: (error: unknown) => void): AlertLoops | undefined {
  const { clock, alerts } = ledger.ports;
  if (alerts === undefined) return undefined;
  const sender = new AlertSender(ledger, alerts, failed);
  const stops = [
    every(clock, SEND_EVERY_MS, () => sender.runOnce(), failed),
    every(clock, WATCH_EVERY_MS, () => watchAlerts(ledger), failed),
    every(clock, FORGET_EVERY_MS, () => forgetDeliveries(ledger), failed),
  ];
  return {
    sender,
    stop: async () => {
      for (const stop of stops) stop();
      await sender.stop();
    },
  };
}
