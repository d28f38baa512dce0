import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** How instances are kept apart: `separate` by namespaces and mounts of their own; `plain` not at all, with why. */
export type SandboxMode = { readonly kind: 'separate' } | { readonly kind: 'plain'; readonly why: string };

const PROBE_WITHIN_MS = 20_000;
const LIMIT_FILE = '/proc/sys/user/max_user_namespaces';

interface Allowed {
  readonly ok: boolean;
  readonly why?: string;
}

/**
 * What this kernel lets this user have. It is tried, and undone.
 *
 * @param setting SPAWN_SANDBOX: `plain` or `separate` leave no choice
 * @param program the native one; a full set of namespaces is no lack of them
 */
export function chooseSandbox(setting: string | undefined, program: string): SandboxMode {
  if (setting === 'separate') return { kind: 'separate' };
  if (setting === 'plain') return { kind: 'plain', why: 'SPAWN_SANDBOX=plain' };
  const { status, stdout } = spawnSync(program, ['probe'], { encoding: 'utf8', env: {}, timeout: PROBE_WITHIN_MS });
  if (status !== 0) return { kind: 'separate' };
  const found = JSON.parse(stdout) as Readonly<Record<string, Allowed>>;
  for (const name of ['namespaces', 'mount', 'processes']) {
    const { ok, why } = found[name]!;
    if (ok) continue;
    // A limit that those which live have reached is said at the launch of one more.
    if (/space|users/i.test(why ?? '') && namespacesAllowed() > 0) return { kind: 'separate' };
    return { kind: 'plain', why: `${name}: ${why ?? 'refused'}` };
  }
  return { kind: 'separate' };
}

function namespacesAllowed(): number {
  try {
    return Number(readFileSync(LIMIT_FILE, 'utf8'));
  } catch {
    return 1;
  }
}
