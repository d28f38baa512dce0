import type { ExchangeRequest, HelloRequest } from '../../src/api/session.ts';
import type { CallOptions } from '../../src/worker/client.ts';
import type { InstanceClient } from '../../src/worker/instances/agent-place.ts';
import { ScriptedCoordinator } from './scripted-coordinator.ts';

/** A scripted coordinator for each session, behind one client. */
export class ManyCoordinators implements InstanceClient {
  readonly logDir: string;
  /** By session. */
  readonly all = new Map<number, ScriptedCoordinator>();
  #sessions = 0;

  constructor(logDir: string) {
    this.logDir = logDir;
  }

  hello(request: HelloRequest) {
    const coordinator = new ScriptedCoordinator();
    coordinator.logDir = this.logDir;
    coordinator.sessionId = this.#sessions;
    this.#sessions += 1;
    this.all.set(this.#sessions, coordinator);
    return coordinator.hello(request);
  }

  stream(sessionId: number, after: number, options?: CallOptions) {
    return this.#of(sessionId).stream(sessionId, after, options);
  }

  exchange(sessionId: number, request: ExchangeRequest, options?: CallOptions) {
    return this.#of(sessionId).exchange(sessionId, request, options);
  }

  bye(sessionId: number) {
    return this.#of(sessionId).bye(sessionId);
  }

  peers(sessionId: number) {
    return this.#of(sessionId).peers(sessionId);
  }

  putLog(...args: Parameters<ScriptedCoordinator['putLog']>) {
    return this.#of(args[0]).putLog(...args);
  }

  checkpoint(...args: Parameters<ScriptedCoordinator['checkpoint']>) {
    return this.#of(args[0]).checkpoint(...args);
  }

  putCheckpoint(...args: Parameters<ScriptedCoordinator['putCheckpoint']>) {
    return this.#of(args[0]).putCheckpoint(...args);
  }

  async putBlob(): Promise<{ hash: string }> {
    return { hash: '' };
  }

  async getBlob(): Promise<Uint8Array> {
    return new Uint8Array();
  }

  #of(sessionId: number): ScriptedCoordinator {
    return this.all.get(sessionId)!;
  }
}
