import type { JobView } from '../../api/job.ts';
import type { GraphEdge, GraphReply } from '../../api/workflow.ts';
import { parseDependency } from '../../core/dependency.ts';
import type { JobId } from '../../core/ids.ts';
import { namesIn, replaceNames } from '../../core/named-dependency.ts';

/** A job as it is drawn. */
export interface GraphJob {
  readonly id: number;
  /** Its key in its workflow, else its name. */
  readonly label: string;
  /** Absent: it was not submitted. */
  readonly state?: string;
  readonly tasks?: number;
  /** Of those, how many have completed. */
  readonly completed?: number;
}

/** `from` is waited for by `to`. */
export type GraphLink = GraphEdge;

export interface Graph {
  readonly jobs: readonly GraphJob[];
  readonly links: readonly GraphLink[];
  /** There are more jobs than these. */
  readonly cut: boolean;
}

export function graphOfJobs({ jobs, edges, cut }: GraphReply): Graph {
  return { jobs: jobs.map(jobOf), links: edges, cut };
}

function jobOf({ id, name, state, size, counts, workflow, role }: JobView): GraphJob {
  const label = `${workflow?.key ?? name}${role === undefined ? '' : ` (${role.kind})`}`;
  return { id, label, state, tasks: size, completed: counts.completed };
}

/** Of jobs that were not submitted, numbered as they stand in their file. @param jobs what each waits for, others by `@key` */
export function graphOfKeys(jobs: readonly { readonly key: string; readonly after: string | undefined }[]): Graph {
  const keys = new Map(jobs.map(({ key }, at) => [key, (at + 1) as JobId]));
  const links = jobs.flatMap(({ after }, at): GraphLink[] => {
    if (after === undefined) return [];
    // Jobs that were submitted before are none of these.
    const numbered = replaceNames(after, namesIn(after), () => String(Number.MAX_SAFE_INTEGER));
    const { mode, terms } = parseDependency(numbered, keys);
    return terms.flatMap((term) => {
      if (term.type === 'singleton' || term.jobId > jobs.length) return [];
      const { type, jobId: from, indices } = term;
      const any = mode === 'any' && terms.length > 1 ? { any: true } : {};
      return [{ from, to: at + 1, type, ...(indices === null ? {} : { indices: String(indices) }), ...any }];
    });
  });
  return { jobs: jobs.map(({ key }, at) => ({ id: at + 1, label: key })), links, cut: false };
}
