import type { ScriptedCoordinator } from './scripted-coordinator.ts';
import { type ServerOnSocket, serveOn, socketPath } from './server-on-socket.ts';

/** The real server in front of a scripted coordinator, for workers that are processes of their own. */
export async function scriptBehindServer(coordinator: ScriptedCoordinator): Promise<ServerOnSocket> {
  const served = await serveOn(socketPath());
  Object.assign(served.fake, {
    hello: (_, request) => coordinator.hello(request),
    exchange: (_, sessionId, request) => coordinator.exchange(sessionId, request),
    bye: (_, sessionId) => coordinator.bye(sessionId),
    getBlob: (_, hash) => coordinator.getBlob(hash),
    stream(_, sessionId, after, sink) {
      const stop = new AbortController();
      const pass = async () => {
        for await (const message of coordinator.stream(sessionId, after, { signal: stop.signal })) {
          sink.write(JSON.stringify(message));
        }
      };
      pass().catch(() => sink.close());
      return () => stop.abort();
    },
  } satisfies Partial<ServerOnSocket['fake']>);
  return served;
}
