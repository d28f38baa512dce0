import type { HelloReply, HelloRequest } from '../api/session.ts';
import { isSpawnError } from '../core/errors.ts';
import { Backoff } from './backoff.ts';
import { NO_RETRY, type WorkerClient } from './client.ts';
import { type LeaseMoment, leaseMoment } from './lease.ts';

/** A hello that was answered, and when it was sent. */
export interface Greeting {
  readonly hello: HelloReply;
  readonly sentAt: LeaseMoment;
}

interface Hello {
  readonly client: Pick<WorkerClient, 'hello'>;
  /** Made anew for each try. */
  readonly request: () => HelloRequest;
  readonly signal: AbortSignal;
  /** The longest pause between two tries. */
  readonly mostMs: number;
  readonly log: (line: string) => void;
  /** After each try that failed and may be followed by another: throws, or resolves to `give up`, where that makes no sense. */
  readonly failed: (error: unknown) => Promise<'give up' | undefined>;
}

/** Errors of a hello that asking again cannot change. */
const REFUSALS: ReadonlySet<string> = new Set([
  'VERSION_UNSUPPORTED',
  'UNAUTHENTICATED',
  'NOT_PERMITTED',
  'BAD_REQUEST',
  'INSTANCE_NOT_FOUND',
]);

/** Says hello until it is answered; undefined when `signal` was first, or `failed` gave up. @throws what cannot be otherwise next time */
export async function sayHello({ client, request, signal, mostMs, log, failed }: Hello): Promise<Greeting | undefined> {
  const backoff = new Backoff({ firstMs: 50, mostMs });
  for (let tries = 0; !signal.aborted; tries++) {
    // Which kernel the server runs on is in its answer; both clocks are read to be ready for either.
    const sentAt = leaseMoment(false);
    try {
      return { hello: await client.hello(request(), { ...NO_RETRY, signal }), sentAt };
    } catch (error) {
      if (signal.aborted) break;
      if (isSpawnError(error) && REFUSALS.has(error.code)) throw error;
      if ((await failed(error)) === 'give up') return undefined;
      if (tries === 0) log(`${error instanceof Error ? error.message : error}; trying again`);
      await backoff.pause(signal);
    }
  }
  return undefined;
}
