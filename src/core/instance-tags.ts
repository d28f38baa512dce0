/** What the tags of an instance that are ours come from. */
export interface TaggedInstance {
  readonly arrayId: string;
  readonly arrayName: string;
  readonly arraySize: number;
  readonly index: number;
  readonly rank: number;
  readonly standalone: boolean;
  /** Epoch ms at which the array was submitted. */
  readonly createdAt: number;
  readonly jobId: number;
  /** Text of the duration; absent: none. */
  readonly ttl?: string | undefined;
  readonly idleTimeout?: string | undefined;
  readonly onComplete: string;
  readonly spot: boolean;
  readonly store: string;
  readonly account: string;
}

/** The user's tags and ours, `spawn:…`. An instance that is no array has none of an array. Never the peers: they are too many for a tag. */
export function allTags(own: TaggedInstance, users: Readonly<Record<string, string>>): Record<string, string> {
  const array = {
    'spawn:job-array-id': own.arrayId,
    'spawn:job-array-name': own.arrayName,
    'spawn:job-array-size': String(own.arraySize),
    'spawn:job-array-index': String(own.index),
    'spawn:job-array-rank': String(own.rank),
    'spawn:job-array-created': new Date(own.createdAt).toISOString(),
  };
  return {
    ...users,
    'spawn:managed': 'true',
    'spawn:job': String(own.jobId),
    'spawn:store': own.store,
    'spawn:account-base36': own.account,
    ...(own.standalone ? { 'spawn:created': array['spawn:job-array-created'] } : array),
    ...(own.ttl === undefined ? {} : { 'spawn:ttl': own.ttl }),
    ...(own.idleTimeout === undefined ? {} : { 'spawn:idle-timeout': own.idleTimeout }),
    'spawn:on-complete': own.onComplete,
    'spawn:spot': String(own.spot),
  };
}
