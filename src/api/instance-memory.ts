import { z } from 'zod';
import { CompleteAction, IdleAction } from './instance.ts';
import { Directive, InstanceReport, MachineOrder } from './instance-session.ts';
import { ExchangeRequest } from './session.ts';

/** What was set in the instance with `spored config set`; in place of what its order says. */
export const OwnSettings = z.object({
  idleTimeoutMs: z.number().optional(),
  idleCpuPercent: z.number().optional(),
  onIdle: IdleAction.optional(),
  onComplete: CompleteAction.optional(),
  preStop: z.string().optional(),
  preStopTimeoutMs: z.number().optional(),
  completionFile: z.string().optional(),
});
export type OwnSettings = z.infer<typeof OwnSettings>;

/** What an agent has to know of an instance that it, or the one before, served already. */
export const InstanceMemory = z.object({
  version: z.literal(1),
  /** Open at the coordinator of this store. */
  session: z.object({ store: z.string(), id: z.number() }).optional(),
  /** The start of the machine in which it was so: what is said of state and session was of that one only. */
  startId: z.string().optional(),
  /** Of the system, while which `atMs` of the boot clock means something. */
  bootId: z.string(),
  wallMs: z.number(),
  time: z.object({
    atMs: z.number(),
    runs: z.boolean(),
    ranMs: z.number(),
    ttlLeftMs: z.number().optional(),
    ttlSpanMs: z.number(),
  }),
  state: z.enum(['running', 'hibernated', 'stopping', 'stopped', 'shutting-down', 'terminated']),
  reason: InstanceReport.shape.reason,
  message: z.string().optional(),
  directive: Directive.optional(),
  /** Version of the directive when it went to rest by its own decision. */
  restedAt: z.number().optional(),
  completion: InstanceReport.shape.completion,
  completionServed: z.boolean(),
  ended: z.enum(['success', 'failed']).optional(),
  warned: z.array(z.enum(['ttl', 'cost', 'idle', 'interrupt'])),
  own: OwnSettings,
  /** For how long the run that goes on stood still. */
  parkedMs: z.number(),
  /** Interrupted at this moment of the clock of `time`. */
  interruptAtMs: z.number().optional(),
  frozenAtMs: z.number().optional(),
});
export type InstanceMemory = z.infer<typeof InstanceMemory>;

/** What an agent could not tell of an instance before it ended: the next one does. */
export const LastWords = z.object({
  order: MachineOrder,
  /** The session to go on with. */
  session: z.number().optional(),
  /** Of the wall clock, when the requests were made. */
  wallMs: z.number(),
  /** In their order; each has the report. */
  requests: z.array(ExchangeRequest),
});
export type LastWords = z.infer<typeof LastWords>;
