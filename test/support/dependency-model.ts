type Sticky = 'pending' | 'satisfied' | 'failed';

export interface ModelTerm {
  type: 'after' | 'afterany' | 'afterok' | 'afternotok' | 'aftercorr' | 'singleton';
  /** Not of singleton. */
  on?: ModelJob;
  /** Named indices; undefined = the whole array. */
  indices?: readonly number[];
  delayMs: number;
}

export interface ModelTask {
  state: 'blocked' | 'ready' | 'running' | 'completed' | 'failed' | 'cancelled' | 'skipped';
  started: boolean;
  /** Under the policy of waiting: never satisfied. */
  never: boolean;
}

export interface ModelJob {
  id: number;
  name: string;
  tasks: Map<number, ModelTask>;
  mode: 'all' | 'any';
  terms: ModelTerm[];
  states: Sticky[];
  due: number[];
  policy: 'skip' | 'wait';
  maxFailures: number;
  /** It has succeeded when this part of its tasks has. */
  minSuccess: number;
  /** A task of it has failed or was skipped since it was looked at last whether enough can still complete. */
  missed: boolean;
  live: boolean;
  /** Tasks that had ended when it was looked at last. */
  ended: ReadonlySet<ModelTask>;
}

const neededOf = (job: ModelJob) => Math.ceil(job.tasks.size * job.minSuccess);

const hasEnded = ({ state }: ModelTask) => !['blocked', 'ready', 'running'].includes(state);

/** The rules of dependencies, said once more in the plainest way: after each event everything is looked at until nothing changes. */
export class DependencyModel {
  now = 1;
  readonly jobs: ModelJob[] = [];
  /** In the order in which singletons run. */
  readonly live: ModelJob[] = [];

  submit(job: ModelJob): void {
    this.jobs.push(job);
    this.live.push(job);
    this.settle();
  }

  retry(job: ModelJob, indices: readonly number[]): void {
    const behind = !job.live && job.terms.some(({ type }) => type === 'singleton');
    this.#revive(job);
    for (const index of indices) {
      Object.assign(job.tasks.get(index)!, { state: behind ? 'blocked' : 'ready', never: false });
    }
    this.#rearm(job, indices);
    this.settle();
  }

  settle(): void {
    let before: string;
    do {
      before = this.#picture();
      for (const job of this.jobs) this.#settleJob(job);
      // What is skipped is skipped first.
      if (before === this.#picture()) this.#endHopeless();
    } while (before !== this.#picture());
  }

  /** The first job of which too few tasks can still complete. */
  #endHopeless(): void {
    for (const job of this.jobs.filter(({ missed }) => missed)) {
      job.missed = false;
      const tasks = [...job.tasks.values()];
      const missed = tasks.filter((task) => hasEnded(task) && task.state !== 'completed').length;
      const left = tasks.filter(({ state }) => state === 'ready' || state === 'blocked');
      if (job.minSuccess === 1 || tasks.length - missed >= neededOf(job) || left.length === 0) continue;
      for (const task of left) task.state = 'cancelled';
      return;
    }
  }

  #settleJob(job: ModelJob): void {
    const tasks = [...job.tasks.values()];
    if (tasks.some(({ state }) => state === 'blocked')) {
      for (const [at, term] of job.terms.entries()) {
        if (job.states[at] === 'pending') job.states[at] = this.#decide(job, at, term);
      }
    }
    for (const [index, task] of job.tasks) {
      if (task.state !== 'blocked' || task.never) continue;
      const decision = this.#combine(job, index);
      if (decision === 'satisfied') task.state = 'ready';
      else if (decision === 'failed' && job.policy === 'skip') task.state = 'skipped';
      else if (decision === 'failed') task.never = true;
    }
    // Only a new failure makes it end: what a person wants to run again all the same may run.
    const ended = new Set(tasks.filter(hasEnded));
    const more = [...ended].some((task) => task.state === 'failed' && !job.ended.has(task));
    const skipped = [...ended].some((task) => task.state === 'skipped' && !job.ended.has(task));
    job.ended = ended;
    if (more && tasks.filter(({ state }) => state === 'failed').length > job.maxFailures) {
      for (const task of tasks) if (task.state === 'ready' || task.state === 'blocked') task.state = 'cancelled';
    }
    if (more || skipped) job.missed = true;
    if (job.live && tasks.every(hasEnded)) {
      job.live = false;
      this.live.splice(this.live.indexOf(job), 1);
    }
  }

  #decide(job: ModelJob, at: number, term: ModelTerm): Sticky {
    if (term.type === 'singleton') {
      return this.live.find(({ name }) => name === job.name) === job ? 'satisfied' : 'pending';
    }
    const named = [...term.on!.tasks].filter(([index]) => term.indices?.includes(index) ?? true);
    const tasks = named.map(([, task]) => task);
    if (term.type === 'after') {
      if (!tasks.every((task) => task.started || hasEnded(task))) return 'pending';
      if (term.delayMs > 0) job.due[at] ||= this.now + term.delayMs;
      return job.due[at]! <= this.now ? 'satisfied' : 'pending';
    }
    if (!tasks.every(hasEnded)) return 'pending';
    const needed = term.indices === undefined ? neededOf(term.on!) : tasks.length;
    const allOk = tasks.filter(({ state }) => state === 'completed').length >= needed;
    if (term.type === 'afterany') return 'satisfied';
    return allOk === (term.type !== 'afternotok') ? 'satisfied' : 'failed';
  }

  #combine(job: ModelJob, index: number): Sticky {
    const states = job.terms.map((term, at) => {
      const named = term.type === 'aftercorr' && (term.indices?.includes(index) ?? true);
      const partner = named ? term.on!.tasks.get(index) : undefined;
      if (partner === undefined) return job.states[at]!;
      if (partner.state === 'completed') return 'satisfied';
      return hasEnded(partner) ? 'failed' : 'pending';
    });
    if (job.mode === 'all') {
      if (states.includes('failed')) return 'failed';
      return states.every((state) => state === 'satisfied') ? 'satisfied' : 'pending';
    }
    if (states.includes('satisfied')) return 'satisfied';
    return states.every((state) => state === 'failed') ? 'failed' : 'pending';
  }

  /** What was skipped and need not have been, now that these tasks have not ended, waits again; and so on. */
  #rearm(job: ModelJob, indices: readonly number[]): void {
    for (const follower of this.jobs) {
      if (follower.policy === 'wait') continue;
      for (const [at, term] of follower.terms.entries()) {
        if (term.on !== job || follower.states[at] !== 'failed') continue;
        if (indices.some((index) => term.indices?.includes(index) ?? true)) follower.states[at] = 'pending';
      }
      const again: number[] = [];
      for (const [index, task] of follower.tasks) {
        if (task.state !== 'skipped' || this.#combine(follower, index) === 'failed') continue;
        task.state = 'blocked';
        again.push(index);
      }
      if (again.length === 0) continue;
      this.#revive(follower);
      this.#rearm(follower, again);
    }
  }

  #revive(job: ModelJob): void {
    if (job.live) return;
    job.live = true;
    this.live.push(job);
    for (const [at, { type }] of job.terms.entries()) if (type === 'singleton') job.states[at] = 'pending';
  }

  #picture(): string {
    return JSON.stringify(this.jobs.map(({ tasks, states, due, live }) => [[...tasks.values()], states, due, live]));
  }
}
