import type { NotifyRule } from '../../api/alert.ts';
import { fitsPattern, mailEvents } from '../../core/alert-rules.ts';
import { SpawnError } from '../../core/errors.ts';
import { slurmOf } from '../job-row.ts';
import type { JobEntry } from '../memory.ts';
import type { Caller } from '../use-cases.ts';
import { type Rule, ruleOf } from './book.ts';
import { type AlertPorts, checkChannel, checkRule } from './channel.ts';

/** Refuses rules of a spec that contradict themselves, or that this caller may not ask for. */
export function checkRules(ports: AlertPorts | undefined, caller: Caller, rules: readonly NotifyRule[] = []): void {
  for (const [at, rule] of rules.entries()) {
    const where = `spec.notify[${at}]`;
    if (ports === undefined)
      throw new SpawnError('BAD_REQUEST', {
        where: 'spec.notify',
        expected: 'none on a coordinator without alerts',
        found: 'one',
      });
    const alone = rule.events.find((event) => event === 'cost');
    if (alone !== undefined)
      throw new SpawnError('BAD_REQUEST', {
        where: `${where}.events`,
        expected: 'events of a job (cost is one of spawn alerts create)',
        found: alone,
      });
    checkRule(rule, where);
    checkChannel(ports, caller, rule.channel, `${where}.channel`, true);
  }
}

/** What the spec of a job asks for, Slurm's mail included. */
export function rulesOfSpec({ job, fixed }: JobEntry, ports: AlertPorts | undefined): Rule[] {
  const { spec, owner, tenant } = fixed;
  const mail =
    ports?.notifier.mailDomain === undefined ? undefined : mailRule(job.slurm, spec, ports.notifier.mailDomain);
  if (spec.notify === undefined && mail === undefined) return [];
  return [...(spec.notify ?? []), ...(mail === undefined ? [] : [mail])].map((rule, number) => ({
    ...rule,
    key: ruleOf({ job: job.id, number }),
    alert: 0,
    owner,
    tenant,
  }));
}

/** Slurm: sbatch(1), --mail-type and --mail-user: without a user the submitter, without a domain that of the coordinator's mail. */
function mailRule(changed: object, spec: JobEntry['fixed']['spec'], domain: string): NotifyRule | undefined {
  const slurm = slurmOf(spec, changed);
  const events = mailEvents(slurm?.mailType ?? []);
  const user = slurm?.mailUser ?? spec.user ?? '';
  if (events.length === 0 || !/^[A-Za-z0-9][\w.+-]*(?:@[\w.-]+)?$/.test(user)) return undefined;
  const to = [user.includes('@') ? user : `${user}@${domain}`];
  return { channel: { kind: 'email', to }, events, maxPerHour: MAIL_PER_HOUR };
}

const MAIL_PER_HOUR = 60;

/** Whether a rule is about this job. */
export function isAbout({ filter, owner, tenant }: Rule, { fixed }: JobEntry): boolean {
  if (filter === undefined) return true;
  if (fixed.tenant !== tenant) return false;
  const { job, name, workflow } = filter;
  if (job !== undefined && job !== fixed.arrayId && job !== String(fixed.id)) return false;
  const flow = fixed.spec.workflow;
  if (workflow !== undefined && workflow !== flow?.name && workflow !== String(flow?.first)) return false;
  if (name !== undefined && !fitsPattern(name, fixed.name)) return false;
  return isOf({ filter, owner }, fixed.owner, job !== undefined);
}

/** Whether it is about what this owner has; `named`: the filter names the job itself. */
export function isOf({ filter, owner }: Pick<Rule, 'filter' | 'owner'>, whose: string, named: boolean): boolean {
  const wanted = filter?.owner ?? (named ? '*' : owner);
  return wanted === '*' || wanted === whose;
}
