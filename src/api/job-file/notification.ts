import { z } from 'zod';
import { AlertEvent } from '../alert.ts';
import { duration, exactlyOne, oneOrMore, part, path, ruled, secretRef, section, text } from './leaves.ts';

const MOST_RULES = 20;
const CHANNELS = ['email', 'slack', 'webhook', 'command', 'event'];

/** Events of a job; those of instances are for spawn alerts. */
const JOB_EVENTS = AlertEvent.extract([
  'start',
  'first_failure',
  'failed',
  'completed',
  'cancelled',
  'ended',
  'array_complete',
  'threshold',
  'long_running',
  'task_failed',
  'workflow_ended',
]);

const address = text(254).regex(/^[^\s@<>,;:"()[\]\\]+@[^\s@<>,;:"()[\]\\]+$/, 'an e-mail address, as ada@example.org');

const threshold = exactlyOne(
  section({
    failures: z.int().min(1).max(1_000_000_000).optional().describe('So many failed tasks'),
    failed: part(false).optional().describe('This part of all tasks failed'),
    progress: part(false).optional().describe('This part of all tasks has ended'),
  }),
  ['failures', 'failed', 'progress'],
);

const ruleForm = section({
  email: oneOrMore(address, 50).optional().describe('Addresses'),
  slack: secretRef.optional().describe('Where the URL of the incoming webhook is read from'),
  webhook: z.union([path, secretRef]).optional().describe('A URL, or where it is read from'),
  command: z
    .array(text(4_096))
    .min(1)
    .max(100)
    .optional()
    .describe('A program and its arguments, run by the coordinator'),
  event: z.literal(true).optional().describe('Recorded as an event, and sent nowhere'),
  on: oneOrMore(JOB_EVENTS, JOB_EVENTS.options.length).describe('What is told: one or a list'),
  threshold: threshold.optional().describe('With on: threshold'),
  long_running: duration(1_000).optional().describe('With on: long_running: the job has run for so long'),
  secret: secretRef.optional().describe('Of a webhook: key of the signature'),
  time_limit: duration(1_000, 3_600_000).optional().describe('Of a command; default 60s'),
  max_per_hour: z.int().min(1).max(3_600).optional().describe('More are gathered into one message; default 60'),
});

const rule = ruled(exactlyOne(ruleForm, CHANNELS), (given) => {
  const on = [given.on].flat();
  for (const key of ['threshold', 'long_running']) {
    const has = given[key] !== undefined;
    if (has !== on.includes(key))
      return has ? `"${key}" in on, since there is ${key}; found none` : `${key}, since it is in on; found none`;
  }
  if (given.secret !== undefined && given.webhook === undefined) return 'secret with webhook only, found it without';
  if (given.time_limit !== undefined && given.command === undefined)
    return 'time_limit with command only, found it without';
  return undefined;
});

/** Who is told of what. */
export const FileNotification = z.array(rule).min(1).max(MOST_RULES);
export type FileNotification = z.infer<typeof FileNotification>;
