import { z } from 'zod';
import { SecretRef } from './data.ts';
import { Usd } from './instance.ts';
import { MAX_DURATION_MS } from './limits.ts';
import { whole } from './whole.ts';

/** Alerts: who is told of what, and what became of each message. */

const line = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    // It goes into headers, mails and lists line by line.
    .refine((value) => !/\p{Cc}/u.test(value), 'must not hold control characters')
    .refine((value) => value.isWellFormed(), 'must not hold half a surrogate pair');

/**
 * What can be told. `ended` is any end, `array_complete` another name for it. `task_failed` is a message for each task that failed for good; all else is
 * told once of a job. `workflow_ended`: the last job of a workflow has ended. The last ones are of instances.
 */
export const AlertEvent = z.enum([
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
  'cost',
  'budget',
  'instance_warning',
  'instance_lost',
  'instance_failed',
]);
export type AlertEvent = z.infer<typeof AlertEvent>;

/** One address, without a name. */
const MailAddress = line(254).regex(/^[^\s@<>,;:"()[\]\\]+@[^\s@<>,;:"()[\]\\]+$/, 'an e-mail address');
/** A secret that is not written down, or the text itself. */
const Url = z.union([line(2_048), SecretRef]);

export const AlertChannel = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('email'), to: z.array(MailAddress).min(1).max(50) }),
  /** The URL of an incoming webhook: who knows it can post. It is never given back. */
  z.strictObject({ kind: z.literal('slack'), url: Url }),
  z.strictObject({
    kind: z.literal('webhook'),
    url: Url,
    /** Key of the signature; without it messages are not signed. */
    secret: SecretRef.optional(),
  }),
  /** Run by the coordinator, as its user: only an admin may ask for it. */
  z.strictObject({
    kind: z.literal('command'),
    argv: z.array(line(4_096)).min(1).max(100),
    timeLimitMs: z.int().min(1_000).max(3_600_000).default(60_000),
  }),
  /** Recorded as an event, and sent nowhere. */
  z.strictObject({ kind: z.literal('event') }),
]);
export type AlertChannel = z.infer<typeof AlertChannel>;

/** One of: so many failed tasks, this part of all, or this part of all has ended. */
export const AlertThreshold = z.union([
  z.strictObject({ failures: z.int().min(1).max(1_000_000_000) }),
  z.strictObject({ failedPart: z.number().gt(0).max(1) }),
  z.strictObject({ progress: z.number().gt(0).max(1) }),
]);
export type AlertThreshold = z.infer<typeof AlertThreshold>;

const RULE = {
  channel: AlertChannel,
  events: z.array(AlertEvent).min(1).max(AlertEvent.options.length),
  /** With `threshold`. */
  threshold: AlertThreshold.optional(),
  /** With `long_running`: the job has run for so long. */
  longRunningMs: z.int().min(1_000).max(MAX_DURATION_MS).optional(),
  /** More are gathered into one message. */
  maxPerHour: z.int().min(1).max(3_600).default(60),
};

/** Who is told of one job: a part of its spec. A URL that is a secret is given as a reference. */
export const NotifyRule = z.strictObject(RULE);
export type NotifyRule = z.infer<typeof NotifyRule>;
export type NotifyRuleInput = z.input<typeof NotifyRule>;

/** Of which jobs; all that is given holds. Without an id and an owner: those of who makes the alert. */
export const AlertFilter = z.strictObject({
  /** Array id, as `sweep-20260127-0a1b2c`, or number. */
  job: line(128).optional(),
  /** Name of a workflow, or the number of its first job. */
  workflow: line(128).optional(),
  /** May hold `*`. */
  name: line(255).optional(),
  /** `*`: everybody. */
  owner: line(255).optional(),
  /** Jobs that end in one of these. */
  states: z
    .array(z.enum(['completed', 'failed', 'cancelled', 'skipped']))
    .max(4)
    .optional(),
});
export type AlertFilter = z.infer<typeof AlertFilter>;

/** What an owner's instances, or those of the job that the filter names, may cost before it is told. */
const AlertCost = z.strictObject({ amount: Usd, period: z.enum(['month', 'total']).default('month') });

export const CreateAlertRequest = z.strictObject({
  ...RULE,
  name: line(63).optional(),
  filter: AlertFilter.default({}),
  /** With `cost`. */
  cost: AlertCost.optional(),
});
export type CreateAlertRequest = z.infer<typeof CreateAlertRequest>;
export type CreateAlertRequestInput = z.input<typeof CreateAlertRequest>;

/** A channel as it is shown: what is secret of it is not there. */
export const AlertChannelView = z.object({
  kind: z.enum(['email', 'slack', 'webhook', 'command', 'event']),
  /** For people: addresses, a shortened URL, the name of a variable or file, a command. */
  target: z.string(),
  signed: z.boolean().optional(),
});
export type AlertChannelView = z.infer<typeof AlertChannelView>;

export const AlertView = z.object({
  id: z.int(),
  name: z.string().optional(),
  owner: z.string(),
  createdAt: z.number(),
  channel: AlertChannelView,
  events: z.array(AlertEvent),
  filter: AlertFilter,
  threshold: AlertThreshold.optional(),
  longRunningMs: z.number().optional(),
  cost: AlertCost.optional(),
  maxPerHour: z.int(),
  /** Messages that wait to be sent, or to be sent again. */
  pending: z.int(),
});
export type AlertView = z.infer<typeof AlertView>;

const Paged = {
  /** The key of the page before. */
  before: whole(z.int().min(1)).optional(),
  limit: whole(z.int().min(1).max(1_000)).prefault(100),
};

export const AlertsQuery = z.strictObject({
  /** `1`: those of all owners. */
  all: z.enum(['0', '1']).default('0'),
  ...Paged,
});
export type AlertsQuery = z.infer<typeof AlertsQuery>;
export type AlertsQueryInput = z.input<typeof AlertsQuery>;
/** Newest first. */
export const AlertsReply = z.object({ alerts: z.array(AlertView), next: z.int().optional() });
export type AlertsReply = z.infer<typeof AlertsReply>;

/** One message: to be sent, sent, given up, or never sent because its alert was deleted. */
export const DeliveryView = z.object({
  seq: z.int(),
  /** What receivers can know it by when it comes twice. */
  id: z.string(),
  /** Absent: of the spec of its job. */
  alert: z.int().optional(),
  job: z.int().optional(),
  owner: z.string(),
  event: z.string(),
  channel: AlertChannelView,
  /** First line of the message. */
  subject: z.string(),
  /** What happened more than once is one message. */
  events: z.int(),
  state: z.enum(['waiting', 'delivered', 'failed', 'dropped']),
  attempts: z.int(),
  createdAt: z.number(),
  /** Of the last attempt. */
  triedAt: z.number().optional(),
  /** When it is tried (again). */
  nextAt: z.number().optional(),
  /** Why the last attempt failed, without secrets. */
  reason: z.string().optional(),
});
export type DeliveryView = z.infer<typeof DeliveryView>;

export const DeliveriesQuery = z.strictObject({
  all: z.enum(['0', '1']).default('0'),
  alert: whole(z.int().min(1)).optional(),
  job: whole(z.int().min(1)).optional(),
  ...Paged,
});
export type DeliveriesQuery = z.infer<typeof DeliveriesQuery>;
export type DeliveriesQueryInput = z.input<typeof DeliveriesQuery>;
/** Newest first. */
export const DeliveriesReply = z.object({ deliveries: z.array(DeliveryView), next: z.int().optional() });
export type DeliveriesReply = z.infer<typeof DeliveriesReply>;

export const AlertParams = z.object({ id: whole(z.int().min(1)) });
