import { ALERT, DELIVERY } from './fake-replies.ts';
import type { Line } from './instance-flag-lines.ts';

const mail = ['create', 'email', '--to', 'a@b.c'];
const hook = ['create', 'webhook', '--webhook', 'https://h/'];

/** Flags of `spawn alerts`, each with a line that it changes. */
export const ALERT_LINES: Readonly<Record<string, Readonly<Record<string, Line>>>> = {
  alerts: {
    webhook: [hook.slice(0, 2), ['--webhook', 'https://h/']],
    secret: [hook, ['--secret', 'file:/k']],
    to: [mail, ['--to', 'd@e.f']],
    event: [mail, ['--event', 'failed']],
    filter: [mail, ['--filter', 'name=fit-*']],
    threshold: [mail, ['--threshold', '5%']],
    period: [
      ['create', 'cost', '--threshold', '5'],
      ['--period', 'total'],
    ],
    after: [mail, ['--after', '12h']],
    'max-per-hour': [mail, ['--max-per-hour', '5']],
    name: [mail, ['--name', 'mine']],
    all: [['list'], ['-a']],
    limit: [['history'], ['-n', '1']],
    format: [['list'], ['-o', 'json']],
  },
};

export const ALERT_CLIENT = {
  createAlert: () => ALERT,
  alerts: () => ({ alerts: [ALERT] }),
  deliveries: () => ({ deliveries: [DELIVERY, DELIVERY] }),
};
