import { isSpawnError } from '../core/errors.ts';

/**
 * Whether the server will never again take anything of this session: it does not know it, or the token with which it was opened is valid no more. A
 * hello tells which; it reads the token anew.
 */
export function endsSession(error: unknown): boolean {
  return isSpawnError(error) && (error.code === 'SESSION_UNKNOWN' || error.code === 'UNAUTHENTICATED');
}
