/** What of an instance its place in a list goes by. */
export interface ListedInstance {
  readonly id: string;
  readonly jobId: number;
  readonly arrayId: string;
  readonly arrayName: string;
  readonly index: number;
  readonly generation: number;
  readonly standalone: boolean;
  readonly state: string;
}

/** In which the counts of a group are shown. */
const STATES = ['running', 'pending', 'stopping', 'stopped', 'hibernated', 'shutting-down', 'terminated'];

export interface InstanceGroup<T> {
  readonly jobId: number;
  readonly arrayId: string;
  readonly arrayName: string;
  readonly instances: readonly T[];
}

export interface GroupedInstances<T> {
  readonly arrays: readonly InstanceGroup<T>[];
  readonly standalone: readonly T[];
}

/** Array, then index, then generation: the order of every list of instances. */
export function compareInstances(a: ListedInstance, b: ListedInstance): number {
  return a.jobId - b.jobId || a.index - b.index || a.generation - b.generation;
}

/** Arrays in order of their jobs, each with its instances in order, and those that are no array. The order of the input means nothing. */
export function groupInstances<T extends ListedInstance>(instances: readonly T[]): GroupedInstances<T> {
  const standalone: T[] = [];
  const arrays = new Map<number, { jobId: number; arrayId: string; arrayName: string; instances: T[] }>();
  for (const instance of [...instances].sort(compareInstances)) {
    const { jobId, arrayId, arrayName } = instance;
    if (instance.standalone) {
      standalone.push(instance);
      continue;
    }
    const group = arrays.get(jobId);
    if (group === undefined) arrays.set(jobId, { jobId, arrayId, arrayName, instances: [instance] });
    else group.instances.push(instance);
  }
  return { arrays: [...arrays.values()], standalone };
}

/** `8 instances, 7 running, 1 pending`: states without an instance are left out. */
export function countsText(instances: readonly { readonly state: string }[]): string {
  const counts = new Map<string, number>();
  for (const { state } of instances) counts.set(state, (counts.get(state) ?? 0) + 1);
  const each = STATES.filter((state) => counts.has(state)).map((state) => `${counts.get(state)} ${state}`);
  return [`${instances.length} instance${instances.length === 1 ? '' : 's'}`, ...each].join(', ');
}
