import type { RequestListener } from 'node:http';
import {
  type FastifyBaseLogger,
  fastify,
  type InjectOptions,
  type LightMyRequestResponse,
  LogController,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { NoQuery } from '../api/http.ts';
import { MAX_BODY_BYTES } from '../api/limits.ts';
import { accept, brief } from '../api/refusal.ts';
import type { UseCases } from '../coordinator/use-cases.ts';
import { SpawnError } from '../core/errors.ts';
import type { App, Doors } from './app.ts';
import { isStranger, markAsStranger } from './caller.ts';
import { rawRefusal, sendError } from './error-reply.ts';
import { readJsonBodies } from './json-body.ts';
import type { TcpListener, TcpOptions } from './listen-tcp.ts';
import { makeSocketPrivate, prepareSocketPath } from './listen-unix.ts';
import { describe } from './openapi.ts';
import { DEFAULT_TIMING, MAX_CONNECTIONS, MAX_HEADER_BYTES, type ServerOptions, type Timing } from './options.ts';
import { demandRoles } from './roles.ts';
import { accessRoutes } from './routes/access.ts';
import { alertRoutes } from './routes/alerts.ts';
import { blobRoutes } from './routes/blobs.ts';
import { checkpointRoutes } from './routes/checkpoints.ts';
import { insightRoutes } from './routes/insight.ts';
import { instanceRoutes } from './routes/instances.ts';
import { jobRoutes } from './routes/jobs.ts';
import { logsRoute } from './routes/logs.ts';
import { resultRoutes } from './routes/results.ts';
import { searchRoutes } from './routes/search.ts';
import { serverRoutes } from './routes/server.ts';
import { sessionStreamRoute } from './routes/session-stream.ts';
import { sessionRoutes } from './routes/sessions.ts';
import { verbRoutes } from './routes/verbs.ts';
import { watchRoute } from './routes/watch.ts';
import { watchMoreRoutes } from './routes/watch-more.ts';
import { workflowRoutes } from './routes/workflows.ts';
import type { TcpDoor } from './tcp-door.ts';

/** The API over HTTP: on a Unix socket for its user, and on TCP for who bears a token. */
export interface Server {
  /**
   * Listens on a Unix socket, mode 0600, in a directory of this user alone, which is made if it is absent.
   * Errors: SOCKET_NOT_PRIVATE, CONFLICT when another server answers there.
   */
  listenUnix(path: string): Promise<void>;
  /** Listens on TCP as well. Returns the URL, with the real port. Errors: those of listenTcp (listen-tcp.ts). */
  listenTcp(options: TcpOptions): Promise<string>;
  /** Reads the certificates of TCP listeners anew. What is wrong with one is logged, and the old one stays in use. */
  reloadCertificates(): void;
  /** Accepts nothing more, ends what stays open, and gives requests under way `timing.closeGraceMs`. Safe to call twice. */
  close(): Promise<void>;
  /** Answers a request without a socket. */
  inject(request: InjectOptions): Promise<LightMyRequestResponse>;
}

export async function createServer(useCases: UseCases, options: ServerOptions): Promise<Server> {
  const timing = { ...DEFAULT_TIMING, ...options.timing };
  const doors: Doors = { useCases, options, timing, held: new Set(), listens: [] };
  const app = createApp(options, timing);
  const listeners: TcpListener[] = [];
  let door: TcpDoor | undefined;
  let closing: Promise<void> | undefined;

  app.addHook('onRequest', async (request, reply) => {
    if (closing !== undefined) {
      reply.header('connection', 'close');
      throw new SpawnError('SERVER_STOPPING');
    }
    if (isStranger(request)) await door!.admit(request, reply);
  });
  demandRoles(app);
  app.addHook('onRoute', (route) => {
    route.schema = { querystring: NoQuery, ...route.schema };
  });
  await describe(app, options.version);
  await app.register(blobRoutesIn(doors));
  await app.register((own: App) => checkpointRoutes(own, doors));
  for (const routes of [
    jobRoutes,
    workflowRoutes,
    verbRoutes,
    watchRoute,
    logsRoute,
    resultRoutes,
    serverRoutes,
    sessionRoutes,
    sessionStreamRoute,
    insightRoutes,
    watchMoreRoutes,
    searchRoutes,
    instanceRoutes,
    alertRoutes,
    accessRoutes,
  ]) {
    routes(app, doors);
  }
  await app.ready();

  return {
    async listenUnix(path) {
      await prepareSocketPath(path);
      await app.listen({ path });
      makeSocketPrivate(path);
    },
    async listenTcp(tcp) {
      const [{ listenTcp }, { TcpDoor }] = await Promise.all([import('./listen-tcp.ts'), import('./tcp-door.ts')]);
      door ??= new TcpDoor(doors);
      const take: RequestListener = (request, reply) => {
        markAsStranger(request);
        app.routing(request, reply);
      };
      const failed = (error: unknown) =>
        options.logger?.error({ err: error }, 'a certificate changed and cannot be used; the old one stays in use');
      const listener = await listenTcp(tcp, timing, take, failed);
      listeners.push(listener);
      doors.listens.push(listener.url);
      return listener.url;
    },
    reloadCertificates() {
      for (const listener of listeners) listener.reload();
    },
    close() {
      closing ??= closeWithin(app, listeners, doors);
      return closing;
    },
    inject: (request) => app.inject(request),
  };
}

/** In the place of compilers that fastify would load, though others are set below: that is a good part of a start. */
function unused(): never {
  throw new Error('schemas are checked by zod');
}

function createApp(options: ServerOptions, timing: Timing): App {
  const app = fastify({
    ...(options.logger === undefined ? {} : { loggerInstance: options.logger }),
    logController: new LogController({ disableRequestLogging: true }),
    // One logger for all: a child for each request costs more than a small exchange.
    childLoggerFactory: (logger: FastifyBaseLogger) => logger,
    bodyLimit: MAX_BODY_BYTES,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    requestTimeout: timing.requestMs,
    routerOptions: { maxParamLength: MAX_HEADER_BYTES },
    http: {
      maxHeaderSize: MAX_HEADER_BYTES,
      // Here too: node:http takes the time for headers from it.
      requestTimeout: timing.requestMs,
      connectionsCheckingInterval: Math.min(30_000, timing.requestMs),
    },
    schemaController: { compilersFactory: { buildValidator: unused, buildSerializer: unused } },
    frameworkErrors: sendError,
    clientErrorHandler: (error, socket) => {
      if (socket.writable) socket.end(rawRefusal(error));
      else socket.destroy();
    },
  }).withTypeProvider<ZodTypeProvider>();
  app.server.maxConnections = MAX_CONNECTIONS;
  readJsonBodies(app);
  app.setValidatorCompiler(({ schema, httpPart }) => accept(schema, httpPart));
  // Replies are typed by the contract; checking each again would double their cost.
  app.setSerializerCompiler(() => JSON.stringify);
  app.setErrorHandler(sendError);
  app.setNotFoundHandler((request, reply) => {
    const found = new SpawnError('ROUTE_NOT_FOUND', { method: request.method, path: brief(request.url) });
    return sendError(found, request, reply);
  });
  return app;
}

function blobRoutesIn(doors: Doors): (app: App) => Promise<void> {
  return (app) => blobRoutes(app, doors);
}

async function closeWithin(app: App, listeners: readonly TcpListener[], { held, timing }: Doors): Promise<void> {
  for (const reply of held) reply.end();
  const cut = setTimeout(() => {
    for (const each of [app.server, ...listeners]) each.closeAllConnections();
  }, timing.closeGraceMs);
  await Promise.all([app.close(), ...listeners.map((listener) => listener.close())]);
  clearTimeout(cut);
}
