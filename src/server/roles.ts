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
