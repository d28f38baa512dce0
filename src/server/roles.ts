import type { FastifyInstance } from 'fastify';
import type { Role } from '../api/access.ts';

/** The least that a route asks of who comes over TCP; `any`: a valid token of whatever role. */
export type RouteRole = Role | 'any';

const ALLOWED: Readonly<Record<RouteRole, readonly Role[]>> = {
  any: ['read', 'submit', 'worker', 'admin'],
  read: ['read', 'submit', 'admin'],
  submit: ['submit', 'admin'],
  worker: ['worker', 'admin'],
  admin: ['admin'],
};

/** Roles that may use a route which asks for `needed`. */
export function rolesFor(needed: RouteRole): readonly Role[] {
  return ALLOWED[needed];
}

/** Refuses to register a route that does not say which role it asks for, so that none is open by mistake. */
export function demandRoles(app: Pick<FastifyInstance, 'addHook'>): void {
  app.addHook('onRoute', ({ config, method, url }) => {
    if (config?.role === undefined || !Object.hasOwn(ALLOWED, config.role)) {
      throw new Error(`${method} ${url}: a route must say which role it asks for`);
    }
  });
}
