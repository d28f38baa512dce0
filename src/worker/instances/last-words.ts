import type { LastWords } from '../../api/instance-memory.ts';
import type { MachineOrder } from '../../api/instance-session.ts';
import { API_VERSION } from '../../api/limits.ts';
import type { ExchangeRequest, HelloRequest } from '../../api/session.ts';
import { isSpawnError } from '../../core/errors.ts';
import { Backoff } from '../backoff.ts';
import { NO_RETRY } from '../client.ts';
import type { AgentPlace } from './agent-place.ts';

/** What there is to say of a machine that could not be started. */
export function failedLaunch(order: MachineOrder, why: string, wallMs: number): LastWords {
  const report = {
    version: 0,
    state: 'terminated',
    reason: 'launch-failed',
    ranMs: 0,
    message: why.slice(0, 4_096),
  } as const;
  return { order, wallMs, requests: [{ seq: 1, ack: 0, held: { count: 0, sum: 0 }, instance: report }] };
}

/** Tells the coordinator the last there is of an instance of which nothing runs; tries until it knows, or wants nothing of it. False: `signal` was first. */
export async function tellLast(words: LastWords, place: AgentPlace, signal: AbortSignal): Promise<boolean> {
  const { client, clock, log } = place;
  const { name, id } = words.order;
  const options = { ...NO_RETRY, signal };
  const backoff = new Backoff({ firstMs: 50, mostMs: 5_000 });
  while (!signal.aborted) {
    try {
      const { sessionId, resumed, after = 0 } = await client.hello(helloOf(words, place), options);
      let deferred = false;
      for (const request of requestsOf(words, resumed === true, after, clock.wallMs())) {
        deferred = (await client.exchange(sessionId, request, options)).deferred;
        if (deferred) break;
      }
      if (!deferred) {
        await client.bye(sessionId, options);
        return true;
      }
    } catch (error) {
      if (isSpawnError(error) && error.http >= 400 && error.http < 500 && error.code !== 'SESSION_UNKNOWN') {
        log(`${name} (${id}): ${error.message}`);
        return true;
      }
    }
    await backoff.pause(signal);
  }
  return false;
}

function helloOf({ order, session }: LastWords, { clock, host, version }: AgentPlace): HelloRequest {
  return {
    worker: order.name,
    host,
    pid: process.pid,
    bootId: clock.bootId,
    instance: order.id,
    bound: session === undefined ? {} : { resume: session },
    resources: { cpus: order.type.vcpus, memoryBytes: order.type.memoryBytes },
    api: API_VERSION,
    version,
  };
}

/**
 * @param resumed its attempts are those of the session; another one knows nothing of them
 * @param ack what was sent before this hello counts as read
 */
function requestsOf({ requests, wallMs }: LastWords, resumed: boolean, ack: number, nowMs: number): ExchangeRequest[] {
  const said = resumed ? requests : requests.slice(-1);
  return said.map(({ starts, ends, instance }, at) => {
    const request: ExchangeRequest = { seq: at + 1, ack, held: { count: 0, sum: 0 }, draining: true };
    if (instance !== undefined) request.instance = instance;
    if (!resumed) return request;
    const passedMs = Math.max(0, Math.round(nowMs - wallMs));
    if (ends !== undefined) request.ends = ends;
    if (starts !== undefined) {
      request.starts = { ...starts, ...(starts.agoMs && { agoMs: starts.agoMs.map((ms) => ms + passedMs) }) };
    }
    return request;
  });
}
