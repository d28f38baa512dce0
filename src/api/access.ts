import { z } from 'zod';
import { MAX_DURATION_MS } from './limits.ts';
import { whole } from './whole.ts';

/**
 * What the bearer of a token may do. read: look at everything but secrets; submit: that, and submit and change jobs of its owner;
 * worker: run tasks, and nothing else; admin: everything.
 */
export const Role = z.enum(['admin', 'submit', 'read', 'worker']);
export type Role = z.infer<typeof Role>;

const PersonName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$/, '1 to 63 letters, digits, ".", "_", "@" or "-"');

export const CreateTokenRequest = z.strictObject({
  /** For people; unique among tokens that are not revoked. */
  name: PersonName,
  role: Role,
  /** Whose jobs it submits; default its name. */
  owner: PersonName.optional(),
  /** Default: never expires. */
  expiresInMs: z.int().min(1_000).max(MAX_DURATION_MS).optional(),
});
export type CreateTokenRequest = z.infer<typeof CreateTokenRequest>;

/** Never holds the token itself, nor its hash. */
export const TokenView = z.object({
  id: z.int(),
  name: z.string(),
  role: Role,
  owner: z.string(),
  createdAt: z.number(),
  expiresAt: z.number().optional(),
  revokedAt: z.number().optional(),
  /** To the hour. */
  lastUsedAt: z.number().optional(),
});
export type TokenView = z.infer<typeof TokenView>;

/** The only time that the token is shown. */
export const CreateTokenReply = z.object({ token: z.string(), view: TokenView });
export type CreateTokenReply = z.infer<typeof CreateTokenReply>;
export const TokensQuery = z.strictObject({
  /** Also revoked and expired ones. */
  all: z
    .enum(['0', '1'])
    .default('0')
    .transform((value) => value === '1'),
  /** Tokens with a greater id: the key of the page before. */
  after: whole(z.int().min(0)).prefault(0),
  limit: whole(z.int().min(1).max(1_000)).prefault(1_000),
});
export type TokensQuery = z.infer<typeof TokensQuery>;
export type TokensQueryInput = z.input<typeof TokensQuery>;
export const TokensReply = z.object({ tokens: z.array(TokenView), next: z.int().optional() });
export type TokensReply = z.infer<typeof TokensReply>;

/** Removes ended jobs with their logs, for ever. Jobs that a live one waits for stay. */
export const PruneRequest = z.strictObject({
  /** Only jobs that ended so long ago. */
  olderThanMs: z.int().min(0).max(MAX_DURATION_MS),
  /** Keep the newest so many whatever their age; default 0. */
  keep: z.int().min(0).max(1_000_000_000).default(0),
  /** Only these. */
  ids: z.array(z.int().min(1)).max(10_000).optional(),
  /** Tell what would go, and change nothing. */
  dryRun: z.boolean().default(false),
});
export type PruneRequest = z.infer<typeof PruneRequest>;
export type PruneRequestInput = z.input<typeof PruneRequest>;
export const PruneReply = z.object({
  jobs: z.int(),
  tasks: z.int(),
  /** Of logs, scripts and environments. */
  bytes: z.int(),
  dryRun: z.boolean(),
});
export type PruneReply = z.infer<typeof PruneReply>;

/** Query of a shipped piece of a segment. */
export const LogPieceParams = z.object({
  id: whole(z.int().min(1)),
  job: whole(z.int().min(1)),
  segment: whole(z.int().min(1)),
});
export const LogPieceQuery = z.strictObject({
  /** Where in the segment the piece begins; bytes that are there already are not written again. */
  offset: whole(z.int().min(0)),
});
/** How long the coordinator's copy is now. */
export const LogPieceReply = z.object({ size: z.int() });
export type LogPieceReply = z.infer<typeof LogPieceReply>;
