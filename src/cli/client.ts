import type { SpawnClient } from '../client/client.ts';

/** What the commands ask of a coordinator. */
export type Client = Pick<
  SpawnClient,
  | 'submit'
  | 'jobs'
  | 'job'
  | 'tasks'
  | 'cancel'
  | 'retry'
  | 'requeue'
  | 'hold'
  | 'release'
  | 'update'
  | 'watch'
  | 'logs'
  | 'putBlob'
  | 'summary'
  | 'why'
  | 'events'
  | 'watchEvents'
  | 'spec'
  | 'watchGrid'
  | 'grep'
  | 'diffLogs'
  | 'prune'
  | 'createToken'
  | 'tokens'
  | 'revokeToken'
  | 'server'
  | 'close'
>;
