import { JobSpec } from './job-spec.ts';

/** What a field gets that a spec says nothing of; made once, since every stored job is read through this. */
const DEFAULTS: JobSpec = JobSpec.parse({ run: { kind: 'argv', argv: ['true'] }, cwd: '/' });

/**
 * A spec as it was stored by this version or an older one, and so checked at submit: what came later has its default. Every store passes
 * what it reads through this.
 */
export function completeSpec(stored: unknown): JobSpec {
  return { ...DEFAULTS, ...(stored as JobSpec) };
}
