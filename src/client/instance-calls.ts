import type {
  InstancesQueryInput,
  InstancesReply,
  InstanceVerb,
  InstanceVerbReply,
  InstanceVerbRequest,
  InstanceView,
} from '../api/instance.ts';
import type { BudgetRequestInput, BudgetView, CostQuery, CostReply } from '../api/instance-money.ts';
import type { CallOptions } from './connection.ts';
import { jobPath, search } from './paths.ts';
import { WorkflowCalls } from './workflow-calls.ts';

/** Instances: what they are, what is done to them, what they cost. Money is in USD. */
export class InstanceCalls extends WorkflowCalls {
  /**
   * Instances in the order of their arrays, then index, then generation; all conditions hold together. Terminated ones are listed for as long
   * as they are kept. `after: next` gives the next page. Errors: BAD_REQUEST for a filter that cannot be.
   */
  instances(query: InstancesQueryInput = {}, options?: CallOptions): Promise<InstancesReply> {
    return this.json('GET', `/v1/instances${search(query)}`, options);
  }

  /** Every instance that `instances` lists; `limit` is the size of a page, each of which is a call of its own. */
  async *allInstances(
    query: InstancesQueryInput = {},
    options?: CallOptions,
  ): AsyncGenerator<InstanceView, void, undefined> {
    let after: string | undefined;
    do {
      const page = await this.instances({ ...query, ...(after === undefined ? {} : { after }) }, options);
      yield* page.instances;
      after = page.next;
    } while (after !== undefined);
  }

  /**
   * Does something to all instances of a target. Durable once it is answered, and answered when every instance has acknowledged it, at the
   * latest after `waitMs`. Errors: INSTANCE_NOT_FOUND when none fits; NOT_PERMITTED for those of another owner.
   * What adds up, or takes a machine each time (by a name also the one that came after), is not sent again when the link breaks.
   */
  instanceVerb(verb: InstanceVerb, request: InstanceVerbRequest, options?: CallOptions): Promise<InstanceVerbReply> {
    const repeatable = verb !== 'replace' && verb !== 'interrupt' && request.byMs === undefined;
    return this.json('POST', `/v1/instances/${verb}`, options, { body: request, repeatable });
  }

  /**
   * Gives an array so many members: new ones get the next indices, those with the highest indices go.
   * Errors: JOB_NOT_FOUND, AMBIGUOUS_NAME; BAD_REQUEST for a job that is no instance array.
   */
  resize(ref: string, count: number, options?: CallOptions): Promise<InstanceVerbReply> {
    return this.json('POST', `${jobPath(ref)}/resize`, options, { body: { count } });
  }

  /** What instances cost so far, by array and by member. */
  cost(query: CostQuery = {}, options?: CallOptions): Promise<CostReply> {
    return this.json('GET', `/v1/cost${search(query)}`, options);
  }

  /** What the instances of the caller may cost together, and do. */
  budget(options?: CallOptions): Promise<BudgetView> {
    return this.json('GET', '/v1/budget', options);
  }

  /** Sets the budget of the caller, or with `amount: null` removes it. Held while instances run. */
  setBudget(request: BudgetRequestInput, options?: CallOptions): Promise<BudgetView> {
    return this.json('PUT', '/v1/budget', options, { body: request });
  }
}
